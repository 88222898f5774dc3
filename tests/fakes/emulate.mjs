// Serves npm's `emulate` as Slack's Web API: node emulate.mjs MODULE SEED. Says its address, and ends with its stdin.
const { createEmulator } = await import(process.argv[2]);
const made = await createEmulator({ service: "slack", port: 0, seed: { slack: JSON.parse(process.argv[3]) } });
console.log(made.url);
process.stdin.resume();
process.stdin.on("end", () => process.exit());
