// The status page in headless Chromium, over an agent beside an app that breaks and lies.
//
// usage: page.mjs HOLDSHORT [SCREENSHOTS]    needs chromium (Debian) and playwright-core (npm), found by NODE_PATH or
// installed into ~/.cache/holdshort-e2e. Screenshots in both themes and at 390 px go to the folder, where one is named.
import {spawn, execFileSync} from "node:child_process";
import {createRequire} from "node:module";
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {createServer} from "node:http";
import {homedir, tmpdir} from "node:os";
import {join, resolve} from "node:path";

const PLAYWRIGHT = "playwright-core@1.65.1";
const ATTACK = `"'><img src=x onerror=window.pwned=1><script>window.pwned=1</script></title>`;
const TOKEN = "tok_9fK2xQ7vB4mZ8sT1wR6y";
const REFRESH = 8000;  // ms within which the page must have followed

function playwright() {
  const home = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdshort-e2e", "page");
  if (!existsSync(join(home, "node_modules", "playwright-core"))) {
    mkdirSync(home, {recursive: true});
    writeFileSync(join(home, "package.json"), "{}");
    execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PLAYWRIGHT], {cwd: home, stdio: "inherit"});
  }
  return createRequire(join(home, "package.json"))("playwright-core");
}

const {chromium} = playwright();
const [holdshort, screenshots] = process.argv.slice(2);
let passed = 0, failed = 0;
function expect(what, holds) {
  holds ? ++passed : ++failed;
  console.log(holds ? "ok  " : "FAIL", what);
}

// Broken, the app grants what it should refuse, and its words are an attack on whoever reads them.
let broken = false;
const app = createServer((request, response) => {
  if (request.url === "/admin" && !broken && !request.headers.authorization) return response.writeHead(401).end();
  response.writeHead(200, {"X-Powered-By": ATTACK}).end(broken ? ATTACK : "welcome, admin");
});
await new Promise((done) => app.listen(0, "127.0.0.1", done));
const free = createServer();
await new Promise((done) => free.listen(0, "127.0.0.1", done));
const port = free.address().port;
await new Promise((done) => free.close(done));

const home = mkdtempSync(join(tmpdir(), "holdshort-page-"));
writeFileSync(join(home, "holdshort.toml"), `[app]
url = "http://127.0.0.1:${app.address().port}"
host = "orders.example.com"
[agent]
listen = "127.0.0.1:${port}"
status_token = { env = "HOLDSHORT_STATUS_TOKEN" }
[defaults]
interval = "2s"
timeout = "1s"
[probes.alive]
type = "http"
path = "/healthz"
[probes.admin_locked]
type = "http"
path = "/admin"
status = [401]
description = "Nobody without credentials sees /admin ${ATTACK.replaceAll('"', '\\"')}"
runbook = "https://runbooks.example.com/admin"
[probes.admin_body]
type = "http"
path = "/"
severity = "advisory"
body_not_matches = "onerror"
header_matches = { X-Powered-By = "^$" }
`);
const agent = spawn(resolve(holdshort), ["run"], {
  cwd: home, stdio: "ignore",
  env: {...process.env, HOLDSHORT_STATUS_TOKEN: TOKEN, FLY_APP_NAME: "orders", FLY_REGION: "fra", FLY_MACHINE_ID: "148ed193b95948", FLY_MACHINE_VERSION: "01JD"},
});
const url = `http://127.0.0.1:${port}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function until(what, holds, limit = REFRESH) {
  const end = Date.now() + limit;
  let seen = false;
  while (!(seen = await holds().catch(() => false)) && Date.now() < end) await new Promise((done) => setTimeout(done, 100));
  expect(what, seen);
}
const post = (path, body) => fetch(url + path, {method: "POST", body, headers: {Authorization: `Bearer ${TOKEN}`}});
const violations = [];
function watch(page) {
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && violations.push(message.text()));
  page.on("pageerror", (error) => violations.push(String(error)));
  page.on("request", (request) => !request.url().startsWith(url) && !request.url().startsWith("data:") && violations.push(request.url()));
}
async function shoot(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, {recursive: true});
  for (const colorScheme of ["light", "dark"])
    for (const [size, width] of [["wide", 1100], ["phone", 390]]) {
      await page.emulateMedia({colorScheme});
      await page.setViewportSize({width, height: 844});
      await page.screenshot({path: join(screenshots, `${name}-${colorScheme}-${size}.png`), fullPage: true});
    }
}

try {
  await until("the agent answers", async () => (await fetch(url)).ok);
  const page = await browser.newPage();
  watch(page);
  const follows = page.waitForResponse((answer) => answer.url() === url + "events" && answer.headers()["content-type"] === "text/event-stream");
  await page.goto(url);
  expect("it follows by events", await follows.then(() => true, () => false));
  const polling = await browser.newPage();
  watch(polling);
  await polling.route("**/events", (route) => route.abort());
  await polling.goto(url);
  await until("it says ready", async () => (await page.textContent("h1")).includes("Ready"));
  expect("it says where it is", /orders.*148ed193b95948.*fra.*01JD/s.test(await page.textContent(".where")));
  await shoot(page, "ready");

  broken = true;
  await until("a broken control is shown without a reload", async () => (await page.textContent("h1")).includes("Not ready"));
  await until("and without events too", async () => (await polling.textContent("h1")).includes("Not ready"));
  await polling.close();
  await until("the broken one comes first", async () => (await page.getAttribute("article", "id")) === "probe-admin_locked");
  const card = page.locator("#probe-admin_locked");
  const text = await card.textContent();
  for (const part of ["GET /admin", "401", "200", "failing", "Next in", "required"]) expect(`its card says ${part}`, text.includes(part));
  expect("the runbook is a link", (await card.locator('a[href="https://runbooks.example.com/admin"]').count()) === 1);
  expect("the strip has a bar for every run", (await card.locator("svg.strip rect").count()) > 1);
  expect("the title says it", (await page.title()).includes("not ready"));

  await card.locator("details").first().locator("summary").click();
  await page.waitForTimeout(2500);
  expect("what was opened stays open", await card.locator("details").first().evaluate((one) => one.open));
  await shoot(page, "broken");

  expect("no attack ran", (await page.evaluate(() => window.pwned)) === undefined);
  expect("no attack became markup", (await page.locator("img").count()) === 0);
  for (const width of [320, 390, 1100]) {
    await page.setViewportSize({width, height: 844});
    expect(`nothing sticks out at ${width} px`, await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  }

  expect("an override is accepted", (await post("override", JSON.stringify({ready: true, reason: `incident 42 ${ATTACK}`, ttl: "20s"}))).ok);
  await until("its banner is shown", async () => (await page.textContent("#override")).includes("incident 42"));
  await until("and the verdict follows", async () => (await page.textContent("h1")).includes("Ready"));
  await shoot(page, "override");

  const still = await browser.newContext({javaScriptEnabled: false});
  const plain = await still.newPage();
  watch(plain);
  await plain.goto(url);
  expect("without scripts all of it is there", (await plain.locator("article").count()) === 3 && (await plain.textContent("#override")).includes("incident 42"));
  expect("and it renews itself", (await plain.content()).includes('http-equiv="refresh"'));
  await still.close();

  process.kill(agent.pid, "SIGSTOP");
  await until("an agent that does not answer is said", async () => page.locator("#lost").isVisible(), 15000);
  await shoot(page, "lost");
  process.kill(agent.pid, "SIGCONT");
  await until("until it answers again", async () => !(await page.locator("#lost").isVisible()), 15000);
  expect("no attack ran in the end", (await page.evaluate(() => window.pwned)) === undefined);

  const expected = /ERR_|Failed to load resource|TimeoutError|AbortError/;
  const bad = violations.filter((text) => !expected.test(text));
  expect(`no error, no violation of the policy, no request elsewhere ${bad.join(" | ")}`, bad.length === 0);
} finally {
  await browser.close();
  process.kill(agent.pid, "SIGCONT");
  agent.kill("SIGKILL");
  app.close();
  app.closeAllConnections();
  rmSync(home, {recursive: true, force: true});
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
