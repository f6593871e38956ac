// What stands behind the gate in gate.py: Express, WebSocket, events, large bodies, and HTTP/2 on a port of its own.
// usage: node app.js PORT H2C_PORT CONTROL_FILE      the control holds while CONTROL_FILE is empty
const crypto = require("crypto"), fs = require("fs"), http = require("http"), http2 = require("http2");
const express = require("express"), { WebSocketServer } = require("ws");
const [port, h2cPort, control] = process.argv.slice(2);

const app = express();
const seen = [];  // when requests came that no probe sent
app.disable("etag");
app.get("/control", (request, response) => response.status(fs.readFileSync(control, "utf8") ? 500 : 200).send("control\n"));
app.get("/seen", (request, response) => response.json(seen));
app.use((request, response, next) => { seen.push(Date.now()); next(); });
app.get("/events", (request, response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  let n = 0;
  const timer = setInterval(() => {
    response.write(`data: ${Date.now()}\n\n`);
    if (++n == 20) { clearInterval(timer); response.end(); }
  }, 50);
});
app.get("/bytes/:count", (request, response) => {
  let left = Number(request.params.count);
  const piece = crypto.randomBytes(1 << 20), hash = crypto.createHash("md5");
  response.writeHead(200, { "Content-Length": left });
  const more = () => {
    while (left > 0) {
      const bytes = piece.subarray(0, Math.min(left, piece.length));
      left -= bytes.length;
      hash.update(bytes);
      if (!response.write(bytes)) return response.once("drain", more);
    }
    app.locals.sum = hash.digest("hex");
    response.end();
  };
  more();
});
app.get("/sum", (request, response) => response.send(app.locals.sum));
app.put("/bytes", (request, response) => {
  const hash = crypto.createHash("md5");
  request.on("data", bytes => hash.update(bytes)).on("end", () => response.send(hash.digest("hex")));
});
app.get("/slow", (request, response) => setTimeout(() => response.send("slow\n"), 1000));
app.get("/", (request, response) => response.send("hello\n"));

const server = http.createServer(app);
server.keepAliveTimeout = 60000;
new WebSocketServer({ server, path: "/ws" }).on("connection", socket => socket.on("message", (data, binary) => socket.send(data, { binary })));
server.listen(Number(port), "127.0.0.1");
http2.createServer((request, response) => response.end(request.url === "/control" ? "control\n" : `HTTP/${request.httpVersion}\n`)).listen(Number(h2cPort), "127.0.0.1");
