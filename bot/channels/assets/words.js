// The page's own sentences in both languages, and short notes.

const facts = JSON.parse(document.getElementById("facts").textContent);
const page = document.getElementById("paring");
const TOAST_MS = 5200;
const READING_MS = 90; // for a character: what is long stays longer

// What fills the braces of words that stand in the markup.
const values = {
  limits: { mb: facts.limits.file_mb, count: facts.limits.batch_files.toLocaleString() },
  documents: { count: facts.documents.toLocaleString() },
};

export function language() {
  return page.dataset.language;
}

export function word(name, values = {}) {
  return facts.words[language()][name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

export function setLanguage(wanted) {
  page.dataset.language = wanted;
  document.cookie = `paring-language=${wanted}; path=/; max-age=31536000; samesite=strict`;
  fill();
  page.dispatchEvent(new CustomEvent("language"));
}

// Put the words where the markup asks for them: data-word (text), data-word-label, data-word-placeholder.
export function fill() {
  document.documentElement.lang = language();
  for (const node of page.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word, values[node.dataset.values]);
  for (const node of page.querySelectorAll("[data-word-label]")) {
    node.setAttribute("aria-label", word(node.dataset.wordLabel));
    if (node.matches("button")) node.title = word(node.dataset.wordLabel);
  }
  for (const node of page.querySelectorAll("[data-word-placeholder]")) {
    node.placeholder = word(node.dataset.wordPlaceholder);
    node.setAttribute("aria-label", node.placeholder);
  }
  document.getElementById("switch").lang = language() === "ko" ? "en" : "ko";
}

export function toast(text) {
  const note = document.createElement("div");
  note.className = "toast";
  note.textContent = text;
  note.addEventListener("click", () => note.remove());
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), Math.max(TOAST_MS, text.length * READING_MS));
}

// Keep a text for this window's reload; a browser that has no room for it goes on without.
export function store(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    sessionStorage.removeItem(key);
  }
}
