// Where one writes: the text field, the list of commands, the quoted entry, and when something is sent.

import { make } from "./log.js";
import { language, store, toast, word } from "./words.js";

const DRAFT = "paring-draft";
const MEASURED = 20_000; // characters; a longer text fills the field anyway, and to measure it at each key takes seconds
const $ = (id) => document.getElementById(id);

export class Composer {
  constructor({ commands, tray, say }) {
    this.field = $("text");
    this.form = $("composer");
    this.tray = tray;
    this.say = say;
    this.quoted = null;
    this.palette = new Palette($("palette"), commands, (name) => this.write(`/${name} `));
    this.field.value = sessionStorage.getItem(DRAFT) || "";
    this.field.addEventListener("input", () => this.refresh());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => setTimeout(() => this.palette.close(), 150));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    $("quoting").querySelector("button").addEventListener("click", () => this.quote(null));
    document.addEventListener("keydown", (event) => this.typedElsewhere(event));
    this.refresh();
    if (matchMedia("(hover: hover)").matches) this.field.focus({ preventScroll: true });
  }

  setCommands(commands) {
    this.palette.commands = commands;
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return; // a Hangul syllable is still being put together
    if (this.palette.key(event)) return;
    if (event.key === "Escape" && this.quoted) this.quote(null);
    if (event.key === "ArrowUp" && !this.field.value) return this.again(event);
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.send();
  }

  // An arrow up in the empty field brings back what was said last.
  again(event) {
    const last = [...document.querySelectorAll("#log .entry.own > .said")].pop();
    if (!last) return;
    event.preventDefault();
    this.write(last.textContent);
  }

  typedElsewhere(event) {
    const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && event.key !== " " && document.activeElement === document.body) this.field.focus();
  }

  send() {
    if (this.tray.busy) {
      toast(word("still_uploading"));
      this.tray.sendWhenWhole();
      return;
    }
    const files = this.tray.take();
    const text = this.take();
    if (text || files.length) this.say({ text, files, quoted: this.takeQuote() });
  }

  // Return what is written, and clear the field.
  take() {
    const text = this.field.value.trim();
    this.field.value = "";
    this.refresh();
    return text;
  }

  write(text) {
    this.field.value = text;
    this.field.focus();
    this.refresh();
  }

  giveBack({ text, files }) {
    if (!this.field.value) this.write(text);
    this.tray.giveBack(files);
  }

  quote(quoted) {
    this.quoted = quoted;
    $("quoting").hidden = !quoted;
    $("quoting").querySelector("blockquote").textContent = quoted?.text || "";
    this.field.focus();
  }

  takeQuote() {
    const quoted = this.quoted;
    if (quoted) this.quote(null);
    return quoted;
  }

  refresh() {
    const { field } = this;
    store(DRAFT, field.value);
    const long = field.value.length > MEASURED;
    field.style.height = long ? "100vh" : "auto"; // as high as the style sheet lets it be
    if (!long) field.style.height = `${field.scrollHeight}px`;
    field.style.overflowY = long || field.scrollHeight > field.clientHeight + 2 ? "auto" : "hidden";
    this.form.classList.toggle("ready", !!field.value.trim() || this.tray.count > 0);
    this.palette.update(field.value);
  }
}

class Palette {
  constructor(list, commands, choose) {
    this.list = list;
    this.commands = commands;
    this.choose = choose;
    this.at = 0;
    this.matches = [];
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const item = event.target.closest("li");
      if (item) this.pick(Number(item.dataset.at));
    });
  }

  update(text) {
    const typed = /^\/([a-z0-9_]*)$/i.exec(text);
    this.matches = typed ? this.commands.filter(({ name }) => name.startsWith(typed[1].toLowerCase())) : [];
    this.at = 0;
    this.draw();
  }

  draw() {
    this.list.hidden = !this.matches.length;
    this.list.replaceChildren(
      ...this.matches.map((command, at) => {
        const item = make("li");
        item.id = `command-${at}`;
        item.dataset.at = at;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", at === this.at);
        item.append(make("b", "", `/${command.name}`), make("span", "", command.summary[language()]));
        return item;
      }),
    );
    const field = $("text");
    field.setAttribute("aria-expanded", this.matches.length > 0);
    if (this.matches.length) field.setAttribute("aria-activedescendant", `command-${this.at}`);
    else field.removeAttribute("aria-activedescendant");
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  // Return whether the key was for the list.
  key(event) {
    if (!this.matches.length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.at = (this.at + step + this.matches.length) % this.matches.length;
    else if (event.key === "Escape") this.matches = [];
    else if (event.key === "Tab" || (event.key === "Enter" && $("text").value !== `/${this.matches[this.at].name}`)) {
      event.preventDefault();
      this.pick(this.at);
      return true;
    } else return false;
    event.preventDefault();
    this.draw();
    return true;
  }

  pick(at) {
    this.choose(this.matches[at].name);
  }

  close() {
    this.matches = [];
    this.draw();
  }
}
