// The app of a Machine in miniature. It listens at once; its guard comes up when it comes up, and may never.
const fs = require("fs");
const express = require("express");

const { MACHINE, PORT, OPS_TOKEN, BROKEN_FILE } = process.env;
const GUARD_DELAY_MS = Number(process.env.GUARD_DELAY_MS || 0);
const started = Date.now();

function guarded() {
  return process.env.GUARD !== "none" && Date.now() - started >= GUARD_DELAY_MS && !fs.existsSync(BROKEN_FILE);
}

const app = express();
app.use((request, response, next) => {
  request.guarded = guarded();
  response.set("X-Machine", MACHINE);
  response.set("X-Build", process.env.BUILD);
  // Who got in where nobody was watching: what the test is about.
  if (!request.guarded && !String(request.get("User-Agent")).startsWith("holdshort/"))
    console.log(JSON.stringify({ unguarded: request.url, machine: MACHINE }));
  next();
});
app.get("/healthz", (request, response) => response.send("ok"));
app.get("/work", (request, response) => setTimeout(() => response.send("done"), 5));
app.get("/admin", (request, response) => {
  if (request.guarded && request.get("Authorization") !== `Bearer ${OPS_TOKEN}`) return response.status(401).send("no");
  response.send("the secret page");
});
const server = app.listen(Number(PORT), "127.0.0.1");
process.on("SIGTERM", () => server.close(() => process.exit(0)));
