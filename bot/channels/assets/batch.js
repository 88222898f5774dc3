// One drop on its way to the server: its files, its line of progress, and what to do while the connection is lost.

import { make } from "./log.js";
import { toast, word } from "./words.js";

const AT_ONCE = 3;
const RETRY_MS = [500, 1000, 2000, 4000];
const CROSS = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="m7 7 10 10M17 7 7 17"/></svg>';
export const MEBIBYTE = 1024 * 1024;

export class Batch {
  constructor(files, { folder, leftOut, tray, alone }) {
    Object.assign(this, { files, folder, leftOut, tray, alone, total: files.length, tried: 0, done: [], whole: false, cancelled: false, waits: false });
    this.sent = new Map(); // bytes of each file that are on the server
    this.bytes = files.reduce((sum, { file }) => sum + sizeIn(file), 0);
    this.node = make("div", files.length > 1 ? "batch many" : "batch");
    this.title = make("b");
    this.line = make("small");
    this.bar = document.createElement("progress");
    const what = make("span", "what");
    what.append(this.title, this.line, this.bar);
    const remove = make("button", "icon");
    remove.type = "button";
    remove.innerHTML = CROSS;
    remove.addEventListener("click", () => tray.cancel(this));
    this.node.append(this.picture(), what, remove);
    this.remove = remove;
    this.draw();
  }

  picture() {
    const [{ file, name }] = this.files;
    if (this.total === 1 && /^image\/(png|jpeg|gif|webp)$/.test(file.type ?? file.media_type)) {
      const image = make("img");
      image.alt = "";
      image.src = file.blob ? `/blobs/${file.blob}` : URL.createObjectURL(file);
      image.onload = () => URL.revokeObjectURL(image.src);
      return image;
    }
    return make("span", "kind", this.total === 1 && name.includes(".") ? name.split(".").pop().slice(0, 4).toUpperCase() : String(this.total));
  }

  draw() {
    this.title.textContent = this.folder || this.files.map((one) => one.name).join(", ");
    this.line.textContent = this.state() + (this.leftOut ? ` · ${word("batch_left_out", { count: this.leftOut })}` : "");
    this.bar.max = this.bytes;
    this.bar.value = [...this.sent.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.bar.hidden = this.whole;
    this.bar.setAttribute("aria-label", this.line.textContent);
    this.remove.setAttribute("aria-label", word("remove", { name: this.title.textContent }));
  }

  state() {
    if (this.waits) return word("offline");
    if (this.total === 1) return sizeOf(this.bytes);
    return word(this.whole ? "batch_ready" : "batch", { done: this.tried, total: this.whole ? this.done.length : this.total });
  }

  async upload() {
    const waiting = this.files.entries();
    const worker = async () => {
      for (const [at, one] of waiting) {
        if (this.cancelled) return;
        const kept = await this.send(one);
        if (kept) this.done[at] = kept;
        else this.leftOut += 1;
        this.tried += 1;
        this.draw();
        this.tray.keep();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (this.cancelled) return;
    this.arrive(this.done.filter(Boolean));
    this.tray.arrived(this);
  }

  // What is here: files that the server has.
  arrive(done) {
    Object.assign(this, { done, whole: true, files: done.map((file) => ({ name: file.name, file })) }); // lets the browser forget its own
    this.bytes = done.reduce((sum, file) => sum + sizeIn(file), 0);
    this.draw();
  }

  // Send one file, again and again while the line is cut; return what the server calls it, null where it is left out.
  async send({ file, name }) {
    for (let attempt = 0; !this.cancelled; attempt += 1) {
      try {
        const { status, answer } = await post(file, this.headers(file, name), (bytes) => this.progress(file, bytes));
        if (status < 300) return answer;
        toast(answer.error || word("upload_failed", { name }));
        return null;
      } catch {
        if (!(await readable(file))) return void toast(word("upload_failed", { name }));
        this.progress(file, 0, true);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
      }
    }
    return null;
  }

  headers(file, name) {
    return this.tray.headers({ "Content-Type": file.type || "application/octet-stream", "X-Name": encodeURIComponent(name.toWellFormed?.() ?? name) });
  }

  progress(file, bytes, waits = false) {
    this.sent.set(file, bytes);
    this.waits = waits;
    this.draw();
  }
}

// XMLHttpRequest, because fetch does not tell how much of a body is sent.
function post(file, headers, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/files");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
    request.addEventListener("load", () => {
      progress(file.size);
      resolve({ status: request.status, answer: request.response || {} });
    });
    request.addEventListener("error", reject);
    request.send(file);
  });
}

// A file that was changed or deleted since it was chosen cannot be read any more.
async function readable(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}

// The browser's own file says size, the server's answer size_bytes.
function sizeIn(file) {
  return file.size ?? file.size_bytes;
}

function sizeOf(bytes) {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / MEBIBYTE).toFixed(1)} MB`;
}
