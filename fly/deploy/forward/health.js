// The app's health check says what the agent says. Fail closed: no answer from the agent is a 503.
const AGENT = process.env.HOLDSHORT_READYZ || "http://127.0.0.1:9090/readyz";
const PATIENCE_MS = 1000; // below the timeout of Fly's check

async function health(request, response) {
  try {
    const answer = await fetch(AGENT, { signal: AbortSignal.timeout(PATIENCE_MS) });
    await answer.arrayBuffer();
    // 200 or 503, and no word more: the body of a check is shown to everybody who may read the app.
    response.writeHead(answer.status === 200 ? 200 : 503).end();
  } catch {
    response.writeHead(503).end();
  }
}

module.exports = { health };
