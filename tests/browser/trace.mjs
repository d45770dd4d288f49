// trace.mjs - reads Chromium's traces: what a frame costs, on which thread; which frames were dropped; what a script forced.

// devtools.timeline: scripts, style, layout, paint of the page; toplevel: tasks of all threads; benchmark: each frame and its stages.
export const CATEGORIES = ['devtools.timeline', 'toplevel', 'benchmark'];

// Scroll by `pixels`, so many in a second; the browser makes the events of the wheel, one for each of its frames.
export async function scrollEvenly(page, pixels, speed) {
  const cdp = await page.context().newCDPSession(page), { width, height } = page.viewportSize();
  await cdp.send('Input.synthesizeScrollGesture', { x: width / 2, y: height / 2, yDistance: -pixels, speed, gestureSourceType: 'mouse', preventFling: true });
  await cdp.detach();
}

const COUNTED = 'ThreadControllerImpl::RunTask', POOLED = 'ThreadPool_RunTask';
const KINDS = [['script', /^(FunctionCall|EvaluateScript|TimerFire|EventDispatch|FireAnimationFrame|RunMicrotasks|BlinkScheduler_PerformMicrotaskCheckpoint|V8|v8|MinorGC|MajorGC)/],
  ['style', /^(UpdateLayoutTree|RecalculateStyles)/], ['layout', /^Layout$/], ['paint', /^(PrePaint|Paint|Layerize|Commit|CullRectUpdate)/]];
const ofPage = e => e.name === 'FunctionCall' && /\/assets\/app\.js/.test(e.args.data?.url ?? '');
const kindOf = name => KINDS.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
const spent = e => (e.tdur ?? 0) / 1000;   // ms of the processor

function threadOf(events) {
  const found = events.find(ofPage);
  if (!found) throw new Error('no script of the page in the trace');
  return e => e.pid === found.pid && e.tid === found.tid;
}

// The events of the page's main thread in order, each with the event that it is within.
function nested(events) {
  const mine = events.filter(e => e.ph === 'X').filter(threadOf(events)).sort((a, b) => a.ts - b.ts || b.dur - a.dur), open = [];
  return mine.map(e => {
    while (open.length && open.at(-1).event.ts + open.at(-1).event.dur <= e.ts) open.pop();
    const made = { event: e, within: open.at(-1) ?? null };
    open.push(made);
    return made;
  });
}

// What the page's script made the browser lay out or style at once, in the middle of a function: ["layout: NAME"].
export function forcedByScript(events) {
  return nested(events).filter(({ event }) => ['layout', 'style'].includes(kindOf(event.name))).map(made => {
    for (let at = made.within; at; at = at.within) if (ofPage(at.event)) return `${kindOf(made.event.name)}: ${at.event.args.data.functionName}`;
    return null;
  }).filter(Boolean);
}

// How many elements were styled.
export const styled = events => events.filter(threadOf(events)).filter(e => e.name === 'UpdateLayoutTree').reduce((sum, e) => sum + (e.args.elementCount ?? e.args.beginData?.elementCount ?? 0), 0);

// Processor time of the page's main thread by kind, in ms; `rest` is what has no kind: loading, input, the browser's own.
export function mainThread(events) {
  const sums = { script: 0, style: 0, layout: 0, paint: 0, rest: 0 };
  for (const made of nested(events)) {
    const { event, within } = made;
    made.kind = kindOf(event.name) ?? within?.kind ?? 'rest';
    sums[made.kind] += spent(event);
    if (within) sums[within.kind] -= spent(event);
  }
  return sums;
}

// Processor time of all threads, in ms.
export function threads(events) {
  const named = kind => new Map(events.filter(e => e.name === kind).map(e => [kind === 'thread_name' ? e.pid + '/' + e.tid : e.pid, e.args.name]));
  const names = named('thread_name'), processes = named('process_name'), isMain = threadOf(events), page = events.find(ofPage).pid;
  const sums = { main: 0, compositor: 0, raster: 0, display: 0, browser: 0 };
  for (const e of events) {
    if (e.name !== COUNTED && e.name !== POOLED) continue;
    if (isMain(e)) sums.main += spent(e);
    else if (e.pid === page) sums[names.get(e.pid + '/' + e.tid) === 'Compositor' ? 'compositor' : 'raster'] += spent(e);
    else if (processes.get(e.pid) === 'GPU Process') sums.display += spent(e);
    else sums.browser += spent(e);
  }
  return sums;
}

// Each frame of the page: { number, state, scrolls, missed (nobody began it), from, to, ms: of its stages }. One moment may have two: the
// page's part can be shown later than what the compositor moved.
function framesOf(events) {
  const page = events.find(ofPage).pid, open = new Map(), done = [], first = e => ((e.name === 'PipelineReporter') === (e.ph === 'b') ? 0 : 1);
  const own = events.filter(e => e.pid === page && e.id2?.local && (e.ph === 'b' || e.ph === 'e')).sort((a, b) => a.ts - b.ts || first(a) - first(b));
  for (const e of own) {
    const key = e.id2.local, frame = open.get(key), report = e.args?.frame_reporter;
    if (e.name === 'PipelineReporter' && e.ph === 'b')
      open.set(key, { number: report.frame_sequence, state: report.state, scrolls: report.scroll_state !== 'SCROLL_NONE', missed: report.frame_type === 'BACKFILL', from: e.ts, ms: {} });
    else if (e.name === 'PipelineReporter') {
      if (frame) done.push({ ...frame, to: e.ts });
      open.delete(key);
    } else if (frame) frame.ms[e.name] = (frame.ms[e.name] ?? 0) + (e.ph === 'b' ? -e.ts : e.ts) / 1000;
  }
  return done;
}

// While the page scrolled: what the display showed in a second, `gaps` between that in ms, how often the page itself drew (`pages`; what it
// has drawn is moved without it), and the moments that were dropped, by whom:
// the page's main thread (the frame waited longest for it), the drawing, or nobody began them (the machine was late).
export function frames(events) {
  const all = framesOf(events), scrolls = all.filter(f => f.scrolls).map(f => f.from).sort((a, b) => a - b), from = scrolls[0], to = scrolls.at(-1);
  const during = all.filter(f => f.from >= from && f.from <= to), isShown = f => /^STATE_PRESENTED/.test(f.state);
  const seen = new Set(during.filter(isShown).map(f => f.number)), by = { main: 0, drawing: 0, missed: 0 };
  const shown = [...new Set(all.filter(isShown).map(f => f.to))].filter(at => at >= from && at <= to).sort((a, b) => a - b);
  for (const { number, missed, ms } of during.filter(f => f.state === 'STATE_DROPPED')) {
    if (seen.has(number)) continue;
    seen.add(number);
    const [stage] = Object.entries(ms).sort(([, a], [, b]) => b - a)[0] ?? [];
    by[missed ? 'missed' : stage === 'SendBeginMainFrameToCommit' ? 'main' : 'drawing']++;
  }
  const pages = events.filter(threadOf(events)).filter(e => e.name === 'Layerize').length;
  const gaps = shown.slice(1).map((at, i) => (at - shown[i]) / 1000);
  return { rate: gaps.length / gaps.reduce((a, b) => a + b, 0) * 1000, pages, shown: shown.length, gaps, dropped: by };
}
