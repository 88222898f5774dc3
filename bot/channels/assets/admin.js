// The admin page: sends the verbs, and asks how far things are: soon while something is being made, else now and then.

const page = document.getElementById("admin");
const trouble = document.getElementById("trouble");
const SOON_MS = 1000;
const LATER_MS = 6000;
const LOST_MS = 4000;
let next = 0;

function complain(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
  if (text) trouble.scrollIntoView({ block: "nearest" });
}

async function send(verb, asked) {
  const answer = await fetch(`/api/admin/${verb}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-paring": document.documentElement.lang },
    body: JSON.stringify(asked),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? page.dataset.lost);
}

function askedOf(node) {
  const { slot, swap, count } = node.dataset;
  const asked = {};
  if (slot) asked.slot = slot;
  if (swap) asked.swap = Number(swap);
  if (count) asked.count = Number(count);
  if (node instanceof HTMLFormElement) for (const [name, value] of new FormData(node)) asked[name] = value;
  return asked;
}

async function order(node) {
  const buttons = node.matches("button") ? [node] : [...node.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  try {
    await send(node.dataset.verb, askedOf(node));
    complain("");
    if (node instanceof HTMLFormElement) node.reset();
    document.activeElement?.blur?.();
    if (page.querySelector("[id^=section-]")) await look();
    else location.assign("/admin");
  } catch (error) {
    complain(error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

// When it was, as the reader's clock says.
function clock(node) {
  for (const time of node.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  }
}

// A section that is being typed in is left as it is until it is done with.
function show(sections) {
  for (const [name, html] of Object.entries(sections)) {
    const section = document.getElementById(`section-${name}`);
    const typing = section.querySelector("input:focus") ?? [...section.querySelectorAll("input:not([type=hidden])")].find((input) => input.value);
    if (!typing && section.dataset.shown !== html) {
      section.innerHTML = html; // rendered by the server, which escapes
      section.dataset.shown = html;
      clock(section);
    }
  }
}

async function look() {
  clearTimeout(next);
  let wait = LATER_MS;
  try {
    const answer = await fetch("/api/admin/state", { headers: { "x-paring": document.documentElement.lang } });
    if (answer.status === 401) return location.assign("/sign-in");
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    show(said.sections);
    if (trouble.textContent === page.dataset.lost) complain("");
    if (said.busy) wait = SOON_MS;
  } catch (error) {
    complain(error instanceof TypeError ? page.dataset.lost : error.message);
    wait = LOST_MS;
  }
  next = setTimeout(look, wait);
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("button[type=button][data-verb]");
  if (button) order(button);
});
page.addEventListener("submit", (event) => {
  event.preventDefault();
  order(event.target);
});
if (page.querySelector("[id^=section-]")) next = setTimeout(look, page.dataset.busy ? SOON_MS : LATER_MS);
clock(page);
page.dataset.live = "yes";
