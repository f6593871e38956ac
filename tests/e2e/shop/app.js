'use strict';
// A shop as one would deploy it: ten routes, every control by the package that people use for it. A second listener,
// on loopback, breaks one control at a time, so that all_types.py can show which probe sees it.
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const cors = require('cors');
const express = require('express');
const { rateLimit } = require('express-rate-limit');
const { RedisStore } = require('rate-limit-redis');
const { createClient } = require('redis');
const helmet = require('helmet');
const jwt = require('jsonwebtoken');
const { z } = require('zod');

const { FOLDER, PORT, TLS_PORT, CONTROL_PORT, DEBUG_PORT, REDIS_URL, API_KEY, WEBHOOK_SECRET } = process.env;
const JWT_SECRET = fs.readFileSync(path.join(FOLDER, 'jwt_secret'), 'utf8').trim();
const SITE = 'https://shop.example.com';

let broken = '';
const is = (name) => broken === name;

const redis = createClient({ url: REDIS_URL });
const app = express();
app.set('trust proxy', 'loopback');

// --- headers, browsers, bodies

const shielded = helmet();
app.use((req, res, next) => (is('headers') ? next() : shielded(req, res, next)));
app.disable('x-powered-by');
const allowSite = cors({ origin: SITE, credentials: true });
const allowEverybody = cors({ origin: true, credentials: true }); // reflects whatever origin asks
app.use('/api', (req, res, next) => (is('cors') ? allowEverybody : allowSite)(req, res, next));
app.use(express.json({ limit: '100kb', verify: (req, res, raw) => { req.raw = raw; } }));

// --- who is calling

function authenticate(req, res, next) {
  const [, token] = /^Bearer (\S+)$/i.exec(req.get('authorization') || '') || [];
  try {
    req.user = is('jwt') ? jwt.decode(token) : jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'], issuer: 'shop', audience: 'shop-api' });
  } catch { /* an invalid token is no token */ }
  if (!req.user) return res.set('WWW-Authenticate', 'Bearer').status(401).json({ error: 'unauthenticated' });
  next();
}
const only = (role) => (req, res, next) => (req.user.role === role || is('role') ? next() : res.status(403).json({ error: 'forbidden' }));

const digest = (text) => crypto.createHash('sha256').update(text).digest();
const same = (a, b) => crypto.timingSafeEqual(digest(a), digest(b));
function withKey(req, res, next) {
  if (!is('authentication') && !same(req.get('x-api-key') || '', API_KEY)) return res.status(401).json({ error: 'send your key in X-API-Key' });
  next();
}

// --- ten routes

const orders = new Map([
  [1001, { id: 1001, owner: 'alice', sku: 'LAMP-100', quantity: 2, email: 'alice@example.com' }],
  [1002, { id: 1002, owner: 'bob', sku: 'DESK-200', quantity: 1, email: 'bob@example.com' }],
]);
const Order = z.strictObject({
  sku: z.string().regex(/^[A-Z]{2,8}-\d{3}$/),
  quantity: z.number().int().min(1).max(100),
  email: z.email().max(254),
});
const limiter = () => ({
  windowMs: 60_000,
  limit: 10,
  standardHeaders: 'draft-6',
  legacyHeaders: false,
  keyGenerator: (req) => (is('rate_limit') && req.get('x-real-ip')) || req.get('fly-client-ip'),
  store: new RedisStore({ prefix: 'search:', sendCommand: (...words) => redis.sendCommand(words) }),
});

function route() {
  app.get('/healthz', (req, res) => res.json({ status: is('http') ? 'degraded' : 'ok' }));
  app.get('/api/products', (req, res) => res.json([{ sku: 'LAMP-100', price: '39.00' }, { sku: 'DESK-200', price: '249.00' }]));
  app.get('/api/search', rateLimit(limiter()), (req, res) => res.json({ found: ['LAMP-100', 'DESK-200'] }));
  app.get('/api/me', authenticate, (req, res) => res.json({ name: req.user.sub, role: req.user.role, since: '2026-01-01' }));
  app.get('/api/orders/:id(\\d+)', authenticate, (req, res) => {
    const order = orders.get(Number(req.params.id));
    const mine = order && (order.owner === req.user.sub || is('authorization'));
    return mine ? res.json(order) : res.status(404).json({ error: 'no such order' });
  });
  app.post('/api/orders', authenticate, (req, res) => {
    const order = is('input_validation') ? { success: true, data: req.body } : Order.safeParse(req.body);
    if (!order.success) return res.status(422).json({ error: 'invalid', issues: order.error.issues.map(({ path: at, code }) => ({ at, code })) });
    res.status(201).json({ id: 1003, owner: req.user.sub, ...order.data });
  });
  app.delete('/api/orders/:id(\\d+)', authenticate, only('admin'), (req, res) => res.status(204).end());
  app.get('/admin', authenticate, only('admin'), (req, res) => res.json({ orders: [...orders.values()], revenue: '18230.55 EUR' }));
  app.get('/internal/stats', withKey, (req, res) => res.json({ orders: orders.size, uptime_seconds: 4711, workers: 2 }));
  app.post('/webhooks/github', (req, res) => {
    const expected = 'sha256=' + crypto.createHmac('sha256', WEBHOOK_SECRET).update(req.raw || '').digest('hex');
    if (!is('webhook') && !same(req.get('x-hub-signature-256') || '', expected)) return res.status(401).json({ error: 'bad signature' });
    res.status(202).end();
  });
  const files = express.static(path.join(__dirname, 'public'));
  const everything = express.static(FOLDER, { dotfiles: 'allow' }); // the folder that was deployed, .env included
  app.use((req, res, next) => (is('exposure') ? everything(req, res, next) : next()), files);
  app.use((req, res) => res.status(404).json({ error: 'not found' }));
  app.use((error, req, res, next) => res.status(error.status || 500).json({ error: error.status ? 'bad request' : 'internal error' }));
}

// --- what is broken outside of routes

const read = (name) => fs.readFileSync(path.join(FOLDER, name));
const certificate = (name) => ({ key: read(`${name}.key`), cert: read(`${name}.pem`) });
const closers = [];
const listen = (port, host) => new Promise((done) => {
  const extra = net.createServer((peer) => peer.destroy()).listen(port, host, done);
  closers.push(() => extra.close());
});

async function main() {
  await redis.connect();
  route();
  const secure = https.createServer({ ...certificate('right'), minVersion: 'TLSv1.2' }, app);
  const breaks = {
    tcp: () => listen(DEBUG_PORT, '127.0.0.1'),
    listeners: () => listen(0, '0.0.0.0'),
    tls: () => secure.setSecureContext({ ...certificate('ending'), minVersion: 'TLSv1.2' }),
  };
  const control = http.createServer(async (req, res) => {
    for (const close of closers.splice(0)) close();
    secure.setSecureContext({ ...certificate('right'), minVersion: 'TLSv1.2' });
    broken = req.url.slice(1);
    await breaks[broken]?.();
    res.end();
  });
  app.listen(PORT, '127.0.0.1');
  secure.listen(TLS_PORT, '127.0.0.1');
  control.listen(CONTROL_PORT, '127.0.0.1');
}
main();
