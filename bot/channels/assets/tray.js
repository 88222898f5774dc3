// Files on their way: dropped anywhere, pasted, or chosen; whole folders too. Each drop is one batch with one line of progress.
//
// A handful of files waits in the tray until it is sent with what is written. A folder, or more files than a person
// would look through, is sent by itself as soon as all of it has arrived.

import { Batch, MEBIBYTE } from "./batch.js";
import { HIDDEN, filesOf } from "./folders.js";
import { store, toast, word } from "./words.js";

const FEW = 12;
const LONG_PASTE = 100_000; // characters; more of them in the field would make every key slow
const KEPT = "paring-tray";
const $ = (id) => document.getElementById(id);

export class Tray {
  constructor(box, { limits, headers, onChange, onWhole }) {
    Object.assign(this, { box, limits, headers, onChange, onWhole, batches: [], wanted: false });
    this.listen();
    addEventListener("beforeunload", (event) => this.busy && event.preventDefault());
  }

  // Bring back what waited here before this window was loaded anew.
  restore() {
    this.giveBack(JSON.parse(sessionStorage.getItem(KEPT) || "[]"));
  }

  keep() {
    store(KEPT, JSON.stringify(this.batches.filter(({ alone }) => !alone).flatMap(({ done }) => done.filter(Boolean))));
  }

  changed() {
    this.keep();
    this.onChange();
  }

  // Resolve once nothing is on its way any more.
  async settled() {
    while (this.busy) await Promise.all(this.batches.map(({ arriving }) => arriving));
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
      if (text.length > LONG_PASTE || new Blob([text]).size > this.limits.text_bytes) {
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
        const chosen = [...$(input).files];
        const folder = chosen[0]?.webkitRelativePath.split("/")[0] || "";
        const files = chosen.filter((file) => !folder || !file.webkitRelativePath.split("/").some((part) => HIDDEN.test(part)));
        if (chosen.length && !files.length) toast(word("nothing_there"));
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
    this.changed();
    batch.arriving = batch.upload();
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

  // What is written goes along only where sending was asked for; a folder goes alone else.
  arrived(batch) {
    if (batch.alone || !batch.done.length) this.remove(batch);
    this.changed();
    const asked = this.wanted && !this.busy;
    const files = [...(batch.alone ? batch.done : []), ...(asked ? this.take() : [])];
    if (asked) this.wanted = false;
    if (files.length || asked) this.onWhole(files, asked);
  }

  // Its person took it out; what is written stays where it is.
  cancel(batch) {
    this.remove(batch);
    if (!this.busy) this.wanted = false;
  }

  remove(batch) {
    batch.cancelled = true;
    batch.node.remove();
    this.batches = this.batches.filter((other) => other !== batch);
    this.changed();
  }

  // Return what has arrived, and empty the tray.
  take() {
    const files = this.batches.flatMap((batch) => batch.done);
    for (const batch of [...this.batches]) this.remove(batch);
    return files;
  }

  giveBack(files) {
    if (!files.length) return;
    const batch = new Batch(files.map((file) => ({ name: file.name, file })), { folder: "", leftOut: 0, tray: this, alone: false });
    batch.arrive(files);
    this.batches.push(batch);
    this.box.append(batch.node);
    this.changed();
  }
}
