#include "agent/surface/page_assets.h"

namespace holdshort::page {

// Both themes keep a contrast of at least 4.5 to 1; no state is told by its colour alone.
const std::string_view kStyle = R"css(
:root { color-scheme: light dark;
  --paper: #f6f7f9; --card: #fff; --ink: #16191d; --soft: #59616b; --line: #d9dee4; --link: #0a58b0;
  --good: #0d6b34; --bad: #b3161f; --doubt: #8a5300; --good-back: #e2f4e8; --bad-back: #fde5e6; --doubt-back: #fdf0d8; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #101317; --card: #191d23; --ink: #e8ebef; --soft: #a0a9b4; --line: #303741; --link: #7db8ff;
  --good: #6fd394; --bad: #ff8f94; --doubt: #f3bd63; --good-back: #12301e; --bad-back: #3d1719; --doubt-back: #382a10; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
body.lost main { opacity: .55; }
#lost { position: sticky; top: 0; z-index: 1; max-width: 60rem; margin: .6rem auto; }
h1 { font-size: 1.9rem; line-height: 1.15; margin: 0; }
h2 { font-size: 1.1rem; margin: 0; }
p { margin: .35rem 0; }
a { color: var(--link); }
code, dd.code { font: .88em/1.4 ui-monospace, monospace; }
.soft { color: var(--soft); }
.verdict { border-radius: 10px; padding: 1rem; background: var(--bad-back); color: var(--bad); }
.verdict.good { background: var(--good-back); color: var(--good); }
.verdict p { color: var(--ink); }
.where { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .8rem 0 0; padding: 0; list-style: none; color: var(--soft); font-size: .9rem; }
.where b { color: var(--ink); font-weight: 600; }
.banner { border: 2px solid var(--doubt); border-radius: 10px; background: var(--doubt-back); color: var(--ink); padding: .7rem 1rem; margin: .8rem 0; }
.banner.bad { border-color: var(--bad); background: var(--bad-back); }
.probe { background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--doubt); border-radius: 10px; padding: .8rem 1rem; margin: .8rem 0; }
.probe.passing { border-left-color: var(--good); }
.probe.failing { border-left-color: var(--bad); }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .6rem; }
.badge { font-size: .8rem; font-weight: 600; border-radius: 5px; padding: .05rem .5rem; color: var(--doubt); background: var(--doubt-back); }
.passing > .head .badge.state { color: var(--good); background: var(--good-back); }
.failing > .head .badge.state { color: var(--bad); background: var(--bad-back); }
.badge.plain { color: var(--soft); background: none; border: 1px solid var(--line); }
.meta { font-size: .86rem; color: var(--soft); }
.do { border-left: 3px solid var(--link); padding-left: .6rem; }
.check { border-top: 1px solid var(--line); margin-top: .6rem; padding-top: .5rem; }
.check h3 { font-size: .95rem; margin: 0; color: var(--bad); }
.check.inconclusive h3 { color: var(--doubt); }
dl { display: grid; grid-template-columns: 6.2rem 1fr; gap: .1rem .6rem; margin: .3rem 0; }
dt { color: var(--soft); font-size: .9rem; }
dd { margin: 0; }
svg.strip { display: block; width: 100%; max-width: 30rem; height: 28px; margin: .4rem 0; }
.strip rect { fill: var(--doubt); }
.strip rect.pass { fill: var(--good); }
.strip rect.fail { fill: var(--bad); }
.strip rect.skipped { fill: var(--soft); }
.strip rect.line { fill: var(--line); }
details { margin-top: .4rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--link); padding: .2rem 0; }
details ul { margin: .2rem 0; padding-left: 1.2rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[hidden] { display: none; }
@media (max-width: 30rem) { main { padding: .6rem; } h1 { font-size: 1.5rem; } dl { grid-template-columns: 1fr; } dt { margin-top: .2rem; } }
@media print { .probe, .verdict { break-inside: avoid; } }
)css";

// Told by /events that there is something new, it fetches the page and swaps the content; without them it
// asks every `poll`. What is parsed from the answer holds no script of its own that would run: DOMParser runs
// none.
const std::string_view kScript = R"js(
"use strict";
(() => {
  const poll = 2000, check = 5000, patience = 5000, again = 60000;
  const lost = document.getElementById("lost"), live = document.getElementById("live");
  let answered = new Date(), timer, source = null, busy = false, asked = false;

  function show(next) {
    const fresh = next.querySelector("main"), old = document.querySelector("main");
    if (!fresh) throw new Error("no status page");
    const open = new Set(Array.from(old.querySelectorAll("details[open]"), (one) => one.id));
    const focused = document.activeElement && document.activeElement.closest("details");
    for (const one of fresh.querySelectorAll("details")) one.open = open.has(one.id);
    old.replaceWith(document.adoptNode(fresh));
    if (focused) document.querySelector("#" + CSS.escape(focused.id) + " summary")?.focus();
    document.getElementById("icon").href = next.getElementById("icon").href;
    if (document.title !== next.title) live.textContent = document.title = next.title;
  }

  async function refresh() {
    asked = true;
    if (busy) return;
    busy = true;
    while (asked) {
      asked = false;
      await load();
    }
    busy = false;
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, source?.readyState === 1 ? check : poll);
  }

  async function load() {
    try {
      const answer = await fetch(location.href, {cache: "no-store", signal: AbortSignal.timeout(patience)});
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      answered = new Date();
      document.body.classList.remove("lost");
      lost.hidden = true;
      if (getSelection().isCollapsed) show(new DOMParser().parseFromString(text, "text/html"));
    } catch {
      document.body.classList.add("lost");
      lost.hidden = false;
      lost.querySelector("time").textContent = answered.toISOString().slice(11, 19) + " UTC";
    }
  }

  function follow() {
    if (source || document.hidden || !window.EventSource) return;
    source = new EventSource("events");
    source.addEventListener("status", refresh);
    source.onerror = () => {
      if (source?.readyState === 2) {
        source = null;
        setTimeout(follow, again);
      }
      refresh();
    };
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
      clearTimeout(timer);
    } else {
      follow();
      refresh();
    }
  });
  timer = setTimeout(refresh, poll);
  follow();
})();
)js";

}  // namespace holdshort::page
