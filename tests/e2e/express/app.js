'use strict';
// A small shop as one would deploy it. The file $BROKEN names the controls that are broken right now, one a line: so a test
// can break and mend them while holdshort watches.
const fs = require('node:fs');
const express = require('express');
const { rateLimit, ipKeyGenerator } = require('express-rate-limit');

const { ADMIN_TOKEN, BROKEN, PORT } = process.env;
const broken = (name) => fs.readFileSync(BROKEN, 'utf8').split('\n').includes(name);

const app = express();
app.disable('x-powered-by');

const bearer = (req, res, next) => (req.get('authorization') === `Bearer ${ADMIN_TOKEN}` ? next() : res.status(401).json({ error: 'unauthenticated' }));
app.use((req, res, next) => {
  if (broken('guard_off')) return next();
  if (broken('guard_exact')) return req.path === '/admin' ? bearer(req, res, next) : next();
  return /^\/admin(\/|$)/i.test(req.path) ? bearer(req, res, next) : next();
});
app.get('/admin', (req, res) => res.json({ section: 'admin', orders: [{ id: 1, owner: 'ann' }, { id: 2, owner: 'bob' }], revenue: 18230 }));

const limiter = (keyGenerator) => rateLimit({ windowMs: 60_000, limit: 20, keyGenerator, standardHeaders: 'draft-8', legacyHeaders: false });
const right = limiter((req) => ipKeyGenerator(req.get('fly-client-ip') || req.ip));
const spoofable = limiter((req) => ipKeyGenerator((req.get('x-forwarded-for') || req.ip).split(',')[0].trim()));
app.get('/search', (req, res, next) => {
  if (broken('limiter_off')) return next();
  return (broken('limiter_spoofable') ? spoofable : right)(req, res, next);
}, (req, res) => res.json({ products: ['lamp', 'desk'] }));

app.get('/healthz', (req, res) => (broken('unhealthy') ? res.status(200).json({ status: 'degraded' }) : res.json({ status: 'ok' })));
app.use((req, res) => res.status(404).json({ error: 'not found' }));
app.listen(PORT, '127.0.0.1');
