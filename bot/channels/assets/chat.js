// The page's script: starts the parts, sends what is written, shows what the server pushes.
//
// The server renders every entry as HTML; this script puts it in its place and never builds markup from a text.
// What is sent keeps its id until the server has it, so that a double click, a cut line or a reload sends it once.

import { Composer } from "./composer.js";
import { Log } from "./log.js";
import { Tray } from "./tray.js";
import { fill, language, setLanguage, store, toast, word } from "./words.js";

const facts = JSON.parse(document.getElementById("facts").textContent);
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const TYPING_MS = 7000;
const UNSENT = "paring-unsent";
const $ = (id) => document.getElementById(id);

const log = new Log({ fetchPage, earlier: facts.earlier, commands: new Set(facts.commands.map(({ name }) => name)) });
const tray = new Tray($("tray"), { limits: facts.limits, headers, onChange: () => composer.refresh(), onWhole: sendBatch });
const composer = new Composer({ commands: facts.commands, tray, say });

// ------------------------------------------------------------------ to the server

function headers(more = {}) {
  return { "X-Paring": language(), ...more };
}

async function post(path, body) {
  const response = await fetch(path, { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body) });
  if (response.status === 401) location.assign("/sign-in");
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new (response.status < 500 ? Refused : Troubled)(answer.error || word("offline"));
  return answer;
}

class Refused extends Error {} // it will not be taken, however often it is sent
class Troubled extends Error {} // it was not taken now: a full disk, a bot that is ending

async function fetchPage(before = "") {
  const response = await fetch(`/api/history?before=${encodeURIComponent(before)}`, { headers: headers() });
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

// ------------------------------------------------------------------ saying something

const unsent = new Map(Object.entries(JSON.parse(sessionStorage.getItem(UNSENT) || "{}")));

// crypto.randomUUID exists on https and loopback alone; a page behind a password may be plain http in a home network.
function freshId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function remember(id, message) {
  if (message) unsent.set(id, message);
  else unsent.delete(id);
  store(UNSENT, JSON.stringify(Object.fromEntries(unsent)));
}

function say({ text = "", files = [], quoted = null }) {
  const id = freshId();
  const message = { id, text, files, reply_to: quoted?.id || "", quoted: quoted?.text || "" };
  remember(id, message);
  const switched = /^\/lang\s+(ko|en)\s*$/i.exec(text);
  if (switched) setLanguage(switched[1].toLowerCase());
  log.expect(message);
  deliver(message);
}

function sendBatch(files, asked) {
  const text = asked ? composer.take() : "";
  if (text || files.length) say({ text, files, quoted: asked ? composer.takeQuote() : null });
}

async function deliver(message, attempt = 0) {
  try {
    const shown = await post("/api/say", message);
    remember(message.id, null);
    log.show(shown, { arrived: false });
  } catch (error) {
    if (error instanceof Refused) {
      remember(message.id, null);
      log.drop(message.id);
      composer.giveBack(message);
      toast(error.message);
      return;
    }
    if (error instanceof Troubled && !attempt) toast(error.message);
    log.waiting(message.id, "unsent", () => deliver(message));
    if (attempt < RETRY_MS.length) setTimeout(() => unsent.has(message.id) && deliver(message, attempt + 1), RETRY_MS[attempt]);
  }
}

async function press(button) {
  if (button.disabled) return;
  button.disabled = true;
  button.dataset.press ||= freshId();
  try {
    const { note } = await post("/api/press", { id: button.dataset.press, token: button.dataset.token });
    if (note) toast(note);
    delete button.dataset.press;
  } catch (error) {
    toast(error instanceof Refused || error instanceof Troubled ? error.message : word("offline"));
  } finally {
    setTimeout(() => (button.disabled = false), 600);
  }
}

// ------------------------------------------------------------------ from the server

let typingUntil;
function typing(on) {
  clearTimeout(typingUntil);
  $("typing").hidden = !on;
  if (!on) return;
  log.follow();
  typingUntil = setTimeout(() => typing(false), TYPING_MS);
}

const hear = {
  entry(event) {
    if (event.side === "bot") typing(false);
    log.show(event, { arrived: true });
  },
  typing: () => typing(true),
  commands: (event) => composer.setCommands(event.commands),
};

function connection(state) {
  const sign = $("connection");
  sign.className = `connection ${state}`;
  sign.textContent = state === "lost" ? word("offline") : state === "back" ? word("online") : "";
  if (state === "back") setTimeout(() => sign.classList.contains("back") && connection(""), 2500);
}

async function catchUp() {
  try {
    log.compare(await fetchPage());
    $("paring").dataset.live = "yes";
    for (const message of unsent.values()) deliver(message);
  } catch {
    setTimeout(catchUp, 2000); // the socket is back before the server answers: ask again
  }
}

function attachTo(socket) {
  let before = socket.connected;
  let lost;
  socket.on("paring", (event) => hear[event.kind]?.(event));
  socket.on("disconnect", () => {
    delete $("paring").dataset.live;
    lost = setTimeout(() => connection("lost"), 700);
  });
  socket.on("connect", () => {
    clearTimeout(lost);
    if (before && $("connection").classList.contains("lost")) connection("back");
    before = true;
    catchUp();
  });
  if (socket.connected) catchUp();
  postponeReload(socket);
}

// NiceGUI loads the page anew where a restarted bot does not know it: only once the files on their way have arrived.
function postponeReload(socket) {
  const reloads = socket.listeners("connect_error");
  socket.off("connect_error");
  socket.on("connect_error", async (error) => {
    await tray.settled();
    for (const reload of reloads) reload(error);
  });
}

function awaitSocket() {
  if (window.socket) attachTo(window.socket); // NiceGUI makes it when its own script has started
  else setTimeout(awaitSocket, 10);
}

// ------------------------------------------------------------------ what is clicked

// The browser's clipboard is there on https and loopback alone; elsewhere the text is selected in a field and copied from it.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(word("copied"));
}

$("log").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.token) press(button);
  else if (button.dataset.command) composer.write(`/${button.dataset.command} `);
  else if (button.classList.contains("copy-code")) copy(button.parentElement.querySelector("code")?.innerText || "");
  else if ("quote" in button.dataset) composer.quote(log.quoteOf(button));
  else if ("copy" in button.dataset) copy(log.textOf(button));
});
$("log").addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/messages/']");
  const entry = link && log.node(link.getAttribute("href").slice("/messages/".length));
  if (!entry || entry === link.closest(".entry")) return; // one that is not on the page opens by itself
  event.preventDefault();
  log.point(entry);
});
$("empty").addEventListener("click", (event) => {
  const example = event.target.closest(".example");
  const choose = event.target.closest("[data-choose]");
  if (example) composer.write(example.textContent.replace(/:$/, ": ")); // after a colon one goes on writing, or pastes
  if (choose) $(choose.dataset.choose).click();
});
$("switch").addEventListener("click", () => say({ text: `/lang ${language() === "ko" ? "en" : "ko"}` }));
$("theme").addEventListener("click", () => {
  const systemDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = (localStorage.getItem("paring-theme") || (systemDark ? "dark" : "light")) === "dark";
  const wanted = dark ? "light" : "dark";
  if (wanted === (systemDark ? "dark" : "light")) {
    localStorage.removeItem("paring-theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("paring-theme", wanted);
    document.documentElement.dataset.theme = wanted;
  }
});

// Who signs out in one window leaves nothing open to read in the others.
const windows = new BroadcastChannel("paring");
windows.addEventListener("message", () => location.assign("/sign-in"));
document.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => windows.postMessage("signed out"));

for (const message of unsent.values()) log.expect(message);
tray.restore();
fill();
awaitSocket();
