// usage: node ws.js URL [stay]      echoes messages of every framing; with stay: until the other side closes
const { WebSocket } = require("ws");
const socket = new WebSocket(process.argv[2]);
const sizes = [0, 1, 125, 126, 65535, 65536, 5000000];
let next = 0;
socket.on("open", () => process.argv[3] ? console.log("open") : socket.send(Buffer.alloc(sizes[0], 7)));
socket.on("message", data => {
  if (data.length !== sizes[next] || !data.equals(Buffer.alloc(sizes[next], 7))) throw new Error("another message came back");
  if (++next === sizes.length) return socket.close(1000);
  socket.send(Buffer.alloc(sizes[next], 7));
});
socket.on("close", code => { console.log(`closed ${code} after ${next} messages`); });
