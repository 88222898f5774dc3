// Files on their way: dropped anywhere, pasted, or chosen; whole folders too. Each drop is one batch with one line of progress.
//
// A handful of files waits in the tray until it is sent with what is written. A folder, or more files than a person
// would look through, is sent by itself as soon as all of it has arrived.

import { filesOf } from "./folders.js";
import { make } from "./log.js";
import { toast, word } from "./words.js";

const AT_ONCE = 3;
const FEW = 12;
const MEBIBYTE = 1024 * 1024;
const CROSS = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="m7 7 10 10M17 7 7 17"/></svg>';
const $ = (id) => document.getElementById(id);

export class Tray {
  constructor(box, { limits, headers, onChange, onWhole }) {
    Object.assign(this, { box, limits, headers, onChange, onWhole, batches: [], wanted: false });
    this.listen();
  }

  listen() {
    let depth = 0;
    const veil = (on) => ($("veil").hidden = !on);
    const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    addEventListener("dragenter", (event) => carriesFiles(event) && (event.preventDefault(), veil(++depth > 0)));
    addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
    addEventListener("dragleave", (event) => carriesFiles(event) && veil((depth = Math.max(0, depth - 1)) > 0));
    addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      veil((depth = 0));
      this.addDropped(event.dataTransfer);
    });
    addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files || [])];
      const text = files.length ? "" : event.clipboardData?.getData("text/plain") || "";
      if (text.length > this.limits.text_bytes / 4 && new Blob([text]).size > this.limits.text_bytes) {
        files.push(new File([text], `${word("pasted_name")}.txt`, { type: "text/plain" }));
        toast(word("pasted"));
      }
      if (!files.length) return;
      event.preventDefault();
      this.add(files.map((file) => ({ file, name: file.name || "image.png" })), "");
    });
    for (const [button, input] of [["attach", "files"], ["attach-folder", "folder"]]) {
      $(button).addEventListener("click", () => $(input).click());
      $(input).addEventListener("change", () => {
        const files = [...$(input).files];
        const folder = files[0]?.webkitRelativePath.split("/")[0] || "";
        this.add(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })), folder);
        $(input).value = "";
      });
    }
  }

  async addDropped(transfer) {
    const reading = setTimeout(() => toast(word("reading_folder")), 800);
    const { files, folder } = await filesOf(transfer, this.limits.batch_files + 1);
    clearTimeout(reading);
    if (files.length) this.add(files, folder);
    else toast(word("nothing_there"));
  }

  // ---------------------------------------------------------------- batches

  get count() {
    return this.batches.reduce((sum, batch) => sum + batch.total, 0);
  }

  get busy() {
    return this.batches.some((batch) => !batch.whole);
  }

  add(files, folder) {
    const fitting = this.fitting(files);
    if (!fitting.length) return;
    const batch = new Batch(fitting, { folder, leftOut: files.length - fitting.length, tray: this, alone: !!folder || fitting.length > FEW });
    this.batches.push(batch);
    this.box.append(batch.node);
    this.onChange();
    batch.upload();
    $("text").focus();
  }

  fitting(files) {
    const most = this.limits.batch_files;
    if (files.length > most) toast(word("too_many", { limit: most }));
    return files.slice(0, most).filter(({ file, name }) => {
      if (file.size > this.limits.file_mb * MEBIBYTE) toast(word("too_large", { name, limit: this.limits.file_mb }));
      else if (!file.size) toast(word("empty_file", { name }));
      else return true;
      return false;
    });
  }

  sendWhenWhole() {
    this.wanted = true;
  }

  arrived(batch) {
    if (batch.alone) {
      this.remove(batch);
      if (batch.done.length) this.onWhole(batch.done);
    } else if (!batch.done.length) this.remove(batch);
    this.onChange();
    if (this.wanted && !this.busy) {
      this.wanted = false;
      this.onWhole(this.take());
    }
  }

  remove(batch) {
    batch.cancelled = true;
    batch.node.remove();
    this.batches = this.batches.filter((other) => other !== batch);
    this.onChange();
  }

  // Return what has arrived, and empty the tray.
  take() {
    const files = this.batches.flatMap((batch) => batch.done);
    for (const batch of [...this.batches]) this.remove(batch);
    return files;
  }

  giveBack(files) {
    if (!files.length) return;
    const batch = new Batch([], { folder: "", leftOut: 0, tray: this, alone: false });
    Object.assign(batch, { done: files, total: files.length, whole: true });
    batch.draw();
    this.batches.push(batch);
    this.box.append(batch.node);
    this.onChange();
  }
}

class Batch {
  constructor(files, { folder, leftOut, tray, alone }) {
    Object.assign(this, { files, folder, leftOut, tray, alone, total: files.length, tried: 0, done: [], whole: false, cancelled: false });
    this.node = make("div", files.length > 1 ? "batch many" : "batch");
    this.title = make("b");
    this.line = make("small");
    this.bar = document.createElement("progress");
    const what = make("span", "what");
    what.append(this.title, this.line, this.bar);
    const remove = make("button", "icon");
    remove.type = "button";
    remove.innerHTML = CROSS;
    remove.addEventListener("click", () => tray.remove(this));
    this.node.append(this.picture(), what, remove);
    this.remove = remove;
    this.draw();
  }

  picture() {
    const [first] = this.files;
    if (this.total === 1 && /^image\/(png|jpeg|gif|webp)$/.test(first.file.type)) {
      const image = make("img");
      image.alt = "";
      image.src = URL.createObjectURL(first.file);
      image.onload = () => URL.revokeObjectURL(image.src);
      return image;
    }
    const name = first?.name || "";
    return make("span", "kind", this.total === 1 && name.includes(".") ? name.split(".").pop().slice(0, 4).toUpperCase() : String(this.total));
  }

  draw() {
    const name = this.folder || (this.total === 1 ? (this.files[0] || this.done[0]).name : this.files.map((one) => one.name).join(", "));
    this.title.textContent = name || this.done.map((one) => one.name).join(", ");
    const counted = { done: this.tried, total: this.total };
    const left = this.leftOut ? ` · ${word("batch_left_out", { count: this.leftOut })}` : "";
    const alone = this.total === 1 ? sizeOf((this.files[0]?.file || this.done[0]).size ?? this.done[0].size_bytes) : "";
    this.line.textContent = (alone || word(this.whole ? "batch_ready" : "batch", counted)) + left;
    this.bar.max = this.total;
    this.bar.value = this.tried;
    this.bar.hidden = this.whole;
    this.bar.setAttribute("aria-label", this.line.textContent);
    this.remove.setAttribute("aria-label", word("remove", { name: this.title.textContent }));
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
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (this.cancelled) return;
    this.done = this.done.filter(Boolean);
    this.whole = true;
    this.draw();
    this.files = []; // lets the browser forget them
    this.tray.arrived(this);
  }

  async send({ file, name }) {
    const headers = this.tray.headers({ "Content-Type": file.type || "application/octet-stream", "X-Name": encodeURIComponent(name) });
    try {
      const response = await fetch("/api/files", { method: "POST", headers, body: file });
      const answer = await response.json();
      if (response.ok) return answer;
      toast(answer.error || word("upload_failed", { name }));
    } catch {
      toast(word("upload_failed", { name }));
    }
    return null;
  }
}

function sizeOf(bytes) {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / MEBIBYTE).toFixed(1)} MB`;
}
