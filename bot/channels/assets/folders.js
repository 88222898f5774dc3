// The files of a drop, folders walked to their leaves in the order of their names. Hidden files are left where they are.

export const HIDDEN = /^(\.|~\$|Thumbs\.db$|desktop\.ini$|__MACOSX$|node_modules$)/i;

// Return {files: [{file, name}], folder}: `name` keeps the folders; at most `most` files are read.
export async function filesOf(transfer, most) {
  // The entries must be asked for before the first await: the browser empties the transfer afterwards.
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length < items.length) return { files: [...transfer.files].map((file) => ({ file, name: file.name })), folder: "" };
  const files = [];
  for (const entry of entries) await walk(entry, files, most);
  const folders = entries.filter((entry) => entry.isDirectory).map((entry) => entry.name);
  return { files, folder: folders.join(", ") };
}

async function walk(entry, files, most) {
  if (files.length >= most || HIDDEN.test(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file) files.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const children = await childrenOf(entry.createReader());
  children.sort((one, other) => one.name.localeCompare(other.name));
  for (const child of children) await walk(child, files, most);
}

// A reader hands out its entries a hundred at a time, and then none.
async function childrenOf(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return all;
    all.push(...some);
  }
}
