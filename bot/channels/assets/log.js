// The conversation: entries are added, replaced and fetched as the reader goes up; the rest stays untouched.

import { pressable } from "./commands.js";
import { language, toast, word } from "./words.js";

const NEAR_PX = 120;
const LONGEST_SHOWN = 6000; // as the server's renderer has them
const CLIPPED = 1500;
const FILES_SHOWN = 4;
const POINTED_MS = 1600;
const COPY = '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="9" y="9" width="11" height="11" rx="2.5"/><path d="M5 15V6.5A2.5 2.5 0 0 1 7.500 4H15"/></svg>';
const $ = (id) => document.getElementById(id);

export class Log {
  constructor({ fetchPage, earlier, commands }) {
    this.box = $("log");
    this.scroll = $("scroll");
    this.fetchPage = fetchPage;
    this.commands = commands;
    this.unread = 0;
    this.pinned = true;
    for (const node of this.box.children) this.dress(node);
    this.setEarlier(earlier);
    this.settle();
    this.scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
    $("newest").addEventListener("click", () => this.toEnd("smooth"));
    $("earlier").addEventListener("click", () => this.older());
    new IntersectionObserver(([seen]) => seen.isIntersecting && this.scroll.scrollTop > 0 && this.older(), { root: this.scroll, rootMargin: "300px 0px" }).observe($("earlier"));
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(this.box);
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(this.scroll);
    document.addEventListener("visibilitychange", () => document.hidden || this.count(0));
    this.toEnd();
  }

  // ---------------------------------------------------------------- showing

  node(id) {
    return this.box.querySelector(`:scope > [data-id="${CSS.escape(id)}"]`);
  }

  // Show a rendered entry {id, html, digest}: in the place of the one with its id, else after all others.
  show(shown, { arrived }) {
    const old = this.node(shown.id);
    if (old?.dataset.digest === shown.digest) return old;
    const fresh = parse(shown.html);
    if (old) keepOpen(old, fresh);
    const follow = this.pinned;
    this.dress(fresh);
    if (old) old.replaceWith(fresh);
    else this.box.append(fresh);
    this.settle();
    if (follow) this.toEnd();
    else if (arrived && !old) $("newest").classList.add("news");
    if (arrived && !old && document.hidden) this.count(this.unread + 1);
    return fresh;
  }

  // Show at once what is being sent, until the server's own rendering of it replaces it.
  expect({ id, text, files, quoted }) {
    if (this.node(id)) return;
    const entry = make("article", "entry own waiting");
    entry.dataset.id = id;
    if (quoted) entry.append(make("blockquote", "quoted", quoted));
    if (files.length) entry.append(listOf(files));
    if (text) entry.append(make("p", text.startsWith("/") ? "said command" : "said", text.length > LONGEST_SHOWN ? `${text.slice(0, CLIPPED)}…` : text));
    const foot = make("footer", "foot");
    foot.append(make("span", "state"));
    entry.append(foot);
    this.box.append(entry);
    this.settle();
    this.toEnd();
    setTimeout(() => entry.isConnected && this.waiting(id, "sending"), 400);
  }

  waiting(id, state, retry) {
    const sign = this.node(id)?.querySelector(".state");
    if (!sign || (state === "sending" && sign.textContent)) return;
    const fresh = make(retry ? "button" : "span", `state ${state}`, retry ? `${word("unsent")} · ${word("again")}` : word(state));
    if (retry) fresh.addEventListener("click", retry);
    sign.replaceWith(fresh);
  }

  drop(id) {
    this.node(id)?.remove();
    this.settle();
  }

  // Compare the newest page of the server with what is shown: add what came meanwhile, replace what changed.
  compare({ entries, earlier }) {
    const known = entries.some(({ id }) => this.node(id));
    if (!known) {
      for (const node of [...this.box.children]) if (!node.classList.contains("waiting")) node.remove();
      this.setEarlier(earlier);
    }
    let last = null;
    for (const shown of entries) {
      const before = this.node(shown.id);
      const node = this.show(shown, { arrived: !before && !!last });
      if (!before && last && last.nextElementSibling !== node) last.after(node);
      else if (!before && !last) this.box.prepend(node);
      last = node;
    }
    this.settle();
    if (this.pinned) this.toEnd();
  }

  // ---------------------------------------------------------------- going back

  setEarlier(there) {
    $("earlier").hidden = !there;
  }

  async older() {
    const first = this.box.querySelector(":scope > [data-place]:not([data-place=''])");
    if (!first || this.loading) return;
    this.loading = true;
    try {
      const { entries, earlier } = await this.fetchPage(first.dataset.place);
      const height = this.scroll.scrollHeight - this.scroll.scrollTop;
      this.box.ariaLive = "off"; // what is old is not read out as news
      const fresh = entries.filter(({ id }) => !this.node(id)).map(({ html }) => parse(html));
      for (const node of fresh) this.dress(node);
      this.box.prepend(...fresh);
      this.setEarlier(earlier);
      this.scroll.scrollTop = this.scroll.scrollHeight - height;
      requestAnimationFrame(() => (this.box.ariaLive = "polite"));
    } catch {
      toast(word("offline"));
    } finally {
      this.loading = false;
    }
  }

  scrolled() {
    const left = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
    this.pinned = left < NEAR_PX;
    $("newest").hidden = left < 2 * NEAR_PX;
    if (this.pinned) $("newest").classList.remove("news");
    document.querySelector(".bar").classList.toggle("over", this.scroll.scrollTop > 4);
  }

  toEnd(behavior = "instant") {
    this.pinned = true;
    if (!this.box.childElementCount) return; // the empty page is read from its top
    this.scroll.scrollTo({ top: this.scroll.scrollHeight, behavior });
  }

  follow() {
    if (this.pinned) this.toEnd();
  }

  settle() {
    $("empty").hidden = this.box.childElementCount > 0;
  }

  count(unread) {
    this.unread = unread;
    document.title = unread ? `(${unread}) Paring` : "Paring";
  }

  // ---------------------------------------------------------------- one entry

  dress(node) {
    const time = node.querySelector("time");
    if (time) {
      const at = new Date(time.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      const parts = { hour: "numeric", minute: "2-digit", ...(today ? {} : { month: "short", day: "numeric" }) };
      time.textContent = new Intl.DateTimeFormat(language(), parts).format(at);
      time.title = at.toLocaleString(language());
    }
    if (node.matches(".bot")) for (const said of node.querySelectorAll(":scope > .said")) pressable(said, this.commands);
    for (const code of node.querySelectorAll(".said pre")) {
      const button = make("button", "icon copy-code");
      button.type = "button";
      button.title = word("copy_code");
      button.setAttribute("aria-label", word("copy_code"));
      button.innerHTML = COPY;
      code.append(button);
      code.tabIndex = 0; // so that the keyboard can scroll a long line
    }
  }

  // Bring an entry into sight and let it be seen which one it is.
  point(entry) {
    this.pinned = false;
    entry.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth" });
    entry.tabIndex = -1;
    entry.focus({ preventScroll: true });
    entry.classList.add("pointed");
    setTimeout(() => entry.classList.remove("pointed"), POINTED_MS);
  }

  quoteOf(button) {
    const entry = button.closest(".entry");
    return { id: entry.dataset.id, text: this.textOf(button).replace(/\s+/g, " ").slice(0, 160) };
  }

  textOf(button) {
    const entry = button.closest(".entry");
    return entry.querySelector(".said")?.innerText || entry.querySelector(".what b, img")?.textContent || "…";
  }
}

function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html; // rendered and escaped by our own server
  return holder.content.firstElementChild;
}

function keepOpen(old, fresh) {
  const before = old.querySelectorAll("details");
  fresh.querySelectorAll("details").forEach((details, index) => (details.open = before[index]?.open ?? details.open));
}

function listOf(files) {
  const list = make("ul", "files");
  const shown = files.length > FILES_SHOWN ? FILES_SHOWN - 1 : FILES_SHOWN;
  for (const { name } of files.slice(0, shown)) {
    const item = make("li");
    const card = make("span", "file");
    const what = make("span", "what");
    what.append(make("b", "", name));
    card.append(make("span", "kind", name.includes(".") ? name.split(".").pop().slice(0, 4).toUpperCase() : ""), what);
    item.append(card);
    list.append(item);
  }
  if (files.length > shown) list.append(make("li", "more-files", word("more_files", { count: files.length - shown })));
  return list;
}

export function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}
