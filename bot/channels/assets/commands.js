// The commands that an answer names, as buttons: pressed, they stand in the field.

import { make } from "./log.js";

const NAMED = /(?<![\w/:.~-])\/([a-z]{2,12})(?![\w/.-])/g;

// Turn each command of `names` in the text of `said` into a button; code and links stay as they are.
export function pressable(said, names) {
  const walker = document.createTreeWalker(said, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("code, a, button")) texts.push(walker.currentNode);
  for (const text of texts) {
    for (const found of [...text.data.matchAll(NAMED)].reverse()) { // from the end, so that the places stay right
      if (!names.has(found[1])) continue;
      const button = make("button", "named", found[0]);
      button.type = "button";
      button.dataset.command = found[1];
      text.splitText(found.index + found[0].length);
      text.splitText(found.index).replaceWith(button);
    }
  }
}
