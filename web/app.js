// app.js - the page: reads the query, searches, shows the results. The address holds the whole query.
//
// A history entry holds the state of the page: `y`, the scroll position; `n`, the number of hits loaded;
// `viewer`, the place of the open picture, which #picture=ID names. Going back and reloading restore it.

import { ApiError, askEarly, forgetEarly, request, uploadPicture } from './api.js';
import { addPicture, currentQuery, drawChips, onlyPicture, setChips, showQuery } from './chips.js';
import { $, element } from './dom.js';
import { duplicatesKind, kindOf, setDuplicates, showDuplicates } from './duplicates.js';
import { setDragging } from './drag.js';
import { explain, whyNothing } from './explain.js';
import { addFilter, drawFilters, loadFacets, readFilters, setFilters, setRoots, showFilters } from './filters.js';
import { addHits, clearGrid, countHits, countLoaded, farIsHidden, findHit, focusHit, hitAt, moveActive, reachable, redraw, redrawHits, setBorders, setGrid, showGoneAgain } from './grid.js';
import { isRunning, openIndexing, rebuild, setIndexing, watchRun } from './indexing.js';
import { closeLibrary, firstRequests, libraryTotal, openLibrary, pictureAt, placeOf, readLibrary, wantPictures } from './library.js';
import { loadMap, mapIsOpen, mapPlace, redrawMap, setMap, showMap } from './map.js';
import { signedWord } from './query.js';
import { drawScrubber, makeRoom, setScrubber } from './scrubber.js';
import { allowMarks, setFavourite, setMarks, showSave } from './marks.js';
import { removePictures } from './remove.js';
import { anyChosen, beginDrag, choosing, clearChosen, dragOver, dragRange, endDrag, extend, forgetChosen, isChosen, setSelection, show as showSelection, toggle } from './select.js';
import { link, loadStart, noteSearch, redrawStart, setStart, showStart, staleStart } from './start.js';
import { prepareOffline } from './offline.js';
import { chooseLanguage, languageName, loadStrings, number, text } from './strings.js';
import { thumbsShown } from './thumbs.js';
import { hideViewer, openPicture, openViewer, pictureInAddress, setViewer, showFailedAgain, showFavourite } from './viewer.js';

const PAGE = 100, BIG_PAGE = 1000, TYPING_MS = 180, RETRY_MS = 1500, SCREENS_AHEAD = 2, PLACE_ZOOM = 8;
const SORTS = ['date', 'name', 'size', 'added'], SEARCH_SORTS = ['score', 'date', 'name', 'size'];
const REMOTE_DEPTH = 16384, FOLDED_DEPTH = 20000;   // include/scry/store.h says why

let status = null;      // the response of GET /api/v1/status
let cursor = null;      // of the next page; null: no more pages
let turn = 0;           // number of the current search: responses to older ones are discarded
let loading = null;     // AbortController of the current request
let first = null;       // the response with the first page
let shownSearch = '';   // location.search of the results shown
let sort = 'date', reversed = false;   // of the pictures without a query
let comparing = null;                  // how alike the duplicates are that are shown; null: they are not
let searchSort = 'score';              // of a search
let farHidden = true, folded = true, movedLine = null, typing = false, troubled = false, probing = false;

// Answered while the texts are loaded.
for (const path of ['api/v1/status', ...(location.search ? [] : firstRequests(libraryParams()))]) askEarly(path);

// ---- the query <-> the address ----

function currentParams() {
  const params = readFilters(), query = currentQuery();
  if (query) params.set('q', query);
  if (movedLine !== null) params.set('line', movedLine);
  if (query ? searchSort !== 'score' : sort !== 'date') params.set('sort', query ? searchSort : sort);
  if (reversed && (!query || searchSort !== 'score')) params.set('reverse', '1');
  if (!farHidden) params.set('rest', 'yes');
  if (!folded) params.set('fold', 'no');
  if (mapIsOpen()) params.set('map', mapPlace());
  if (comparing && !query) params.set('duplicates', comparing);
  return params;
}

function restore() {
  const params = new URLSearchParams(location.search);
  showQuery(params.get('q') ?? '');
  showFilters(params);
  const line = parseFloat(params.get('line'));
  movedLine = Number.isFinite(line) ? line : null;
  farHidden = params.get('rest') !== 'yes';
  folded = params.get('fold') !== 'no';
  const by = params.get('sort'), query = params.has('q');
  sort = !query && SORTS.includes(by) ? by : 'date';
  searchSort = query && SEARCH_SORTS.includes(by) ? by : 'score';
  reversed = params.get('reverse') === '1';
  showSorting();
  $('fold').checked = folded;
  comparing = query ? null : kindOf(params.get('duplicates'));
  showMap(comparing ? null : params.get('map'));
}

function setAddress(replace) {
  const params = currentParams(), address = params.size ? '?' + params : location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  shownSearch = location.search;   // what follows shows it
}

// The query changed: search, as a new history entry, or with `replace` in place of the last one.
function changed({ replace = false } = {}) {
  if (!replace) savePlace();
  if (!currentQuery()) searchSort = 'score';
  else comparing = null;
  showSorting();
  setAddress(replace);
  typing = false;
  drawChips();
  drawFilters(changed);
  search();
}

function typed() {
  changed({ replace: typing });
  typing = true;
}

const savePlace = (y = scrollY) => history.replaceState({ ...history.state, y, n: countLoaded() }, '');

function searchWith(kind, value, region, hideFirst = true) {
  const wasOpen = hideFirst && hideViewer();
  onlyPicture(kind, value, region);
  movedLine = null;
  changed({ replace: wasOpen });
}

// ---- searching ----

const busy = on => { $('busy').hidden = !on; };

// A notice that a button closes, and Escape. It floats: wherever the list is, it is seen, and nothing moves.
function remark(title, detail) {
  notice(title, detail, text('close'), closeRemark);
  $('notice').classList.add('floating');
  $('notice').setAttribute('role', 'alert');
}

function closeRemark() {
  notice('');
  if (first && !first.results.length) empty();
}

const isRemark = () => !$('notice').hidden && $('notice').classList.contains('floating');

function notice(title, detail, button, action) {
  $('notice').hidden = !title;
  $('notice').classList.remove('floating');
  $('notice').removeAttribute('role');
  $('notice').replaceChildren(...(title ? [element('strong', {}, title), element('p', {}, detail ?? ''),
    button ? element('button', { type: 'button', onclick: action }, button) : ''] : []));
}

function pageAddress(limit) {
  const params = readFilters(), query = currentQuery();
  params.set('q', query);
  if (folded) params.set('fold', 'auto');
  params.set('limit', limit);
  if (searchSort !== 'score') {   // what is not far, in one page
    params.set('sort', searchSort);
    if (reversed) params.set('reverse', '1');
    params.set('min_score', 'auto');
    params.set('limit', BIG_PAGE);
  }
  if (cursor !== null) params.set('cursor', cursor);
  return 'api/v1/search?' + params;
}

function libraryParams() {
  const params = readFilters();
  params.set('sort', sort);
  if (reversed) params.set('reverse', '1');
  if (folded) params.set('unique', '1');
  return params;
}

// The map shows the pictures that pass all filters but those on the position.
function mapParams() {
  const params = readFilters();
  for (const name of ['near', 'box']) params.delete(name);
  if (folded) params.set('unique', '1');
  return params;
}

// The page as it is without a query and filters.
const isStart = () => !currentQuery() && !readFilters().size && !mapIsOpen() && !comparing && status?.contents > 0;

// Show what these parameters mean, as if they had been typed.
function go(params) {
  savePlace();
  history.pushState(null, '', params.size ? '?' + params : location.pathname);
  restore();
  typing = false;
  drawFilters(changed);
  search();
  $('results').focus({ preventScroll: true });
}

// Groups of duplicates in place of the pictures; null: the pictures again.
function compare(kind) {
  $('text').value = '';
  showQuery('');
  showMap(null);
  comparing = kind;
  changed();
}

function toggleMap() {
  showMap(mapIsOpen() ? null : '');
  showStart(isStart());
  loadStart();
  drawScrubber();
  if (mapIsOpen()) loadMap(mapParams(), true).then(() => setAddress(true));
  else setAddress(true);
}

// Pictures within this circle, on the map.
function onlyNear(latitude, longitude, km) {
  addFilter('near', [latitude.toFixed(4), longitude.toFixed(4), Math.max(0.1, +km.toPrecision(3))].join(','));
  changed();
}

// Pictures in this part of the map: degrees.
function onlyInBox(...corners) {
  addFilter('box', corners.map(degrees => +degrees.toFixed(4)).join(','));
  changed();
}

const placeFilter = name => {
  const numbers = readFilters().get(name)?.split(',').map(Number);
  return numbers?.every(Number.isFinite) ? numbers : null;
};

function showOnMap({ latitude, longitude }) {
  const wasOpen = hideViewer();
  showMap([latitude, longitude, PLACE_ZOOM].join(','));
  showStart(false);
  setAddress(wasOpen);
  loadMap(mapParams(), false);
  scrollTo(0, 0);
  $('map-stage').focus({ preventScroll: true });
}

// `place`: the { y, n, viewer } of a history entry to restore.
async function search(place = null) {
  const mine = ++turn;
  shownSearch = location.search;
  cursor = first = null;
  loading?.abort();
  loading = null;
  busy(true);
  if (comparing || duplicatesKind()) showDuplicates(comparing, readFilters());
  if (mapIsOpen()) loadMap(mapParams(), false);
  showStart(isStart());
  showSave(!!currentQuery() || readFilters().size > 0);
  noteSearch(currentQuery());
  document.title = (currentQuery() ? currentQuery() + ' – ' : '') + 'scry';
  if (comparing) {
    closeLibrary();
    clearGrid();
    notice('');
    busy(false);
    showAddressed();
    return;
  }
  if (!currentQuery()) {
    await loadLibrary(mine);
    thumbsShown().then(() => { if (mine === turn) loadStart(); });
  } else await loadPage(mine, Math.min(BIG_PAGE, Math.max(PAGE, place?.n ?? 0)));
  while (mine === turn && place && first && cursor !== null && countLoaded() < place.n) await loadPage(mine, BIG_PAGE);
  if (mine !== turn || !place || !first) return;
  scrollTo(0, place.y ?? 0);
  showAddressed();
}

// Show the picture that the address names, or none. It need not be among the results that are loaded.
async function showAddressed() {
  const id = pictureInAddress(), was = history.state?.viewer;
  if (!id) {
    hideViewer();
    return;
  }
  try {
    const at = was >= 0 && was < countLoaded() && (await pictureAt(was))?.id === id ? was : findHit(id);
    const hit = hitAt(at) ?? await request(`api/v1/images/${id}`), place = at < 0 ? await placeOf(hit) : at;
    if (pictureInAddress() === id) openPicture(hit, place);
  } catch (e) {
    if (e.status === 404) remark(text('error'), explain(e));
    else failed(e, showAddressed);
  }
}

async function loadLibrary(mine) {
  loading = new AbortController();
  try {
    const made = await readLibrary(libraryParams(), loading.signal, failed, () => { if (mine === turn) search({ y: scrollY }); });
    if (mine !== turn) return;
    begin(made.answer);
    openLibrary(made);
    if (troubled) recovered();
    showSummary();
    showEnd(made.answer);
  } catch (e) {
    if (e.name !== 'AbortError' && mine === turn) pageFailed(e, () => { if (mine === turn) search({ y: scrollY }); });
  } finally {
    if (mine === turn) { loading = null; busy(false); }
  }
}

async function loadPage(mine, limit = PAGE) {
  loading = new AbortController();
  try {
    const answer = await request(pageAddress(limit), { signal: loading.signal });
    if (mine !== turn) return;
    if (!first) begin(answer);
    const sorted = searchSort !== 'score';
    cursor = sorted ? null : answer.cursor;
    if (sorted) for (const hit of answer.results) delete hit.group;   // groups are of the order by score
    addHits(answer.results, cursor === null);
    if (troubled) recovered();
    showSummary();
    showEnd(answer);
  } catch (e) {
    if (e.name !== 'AbortError' && mine === turn) pageFailed(e, () => { if (mine === turn) loadPage(mine, limit); });
    return;
  } finally {
    if (mine === turn) { loading = null; busy(false); }
  }
  fillScreen();
}

function begin(answer) {
  first = answer;
  closeLibrary();
  clearGrid();
  scrollTo(0, 0);
  notice('');
  showLine();
  showUnknown(answer.unknown_words ?? [], answer.did_you_mean);
  document.body.classList.toggle('bare', status?.contents === 0 && !answer.results.length && !currentQuery() && !readFilters().size);
  if (answer.damage) notice(text('store_damaged'), element('span', {}, withCommand('store_damaged_help', 'scry verify'), element('br'), element('small', { lang: 'en' }, answer.damage)));
  else if (!answer.results.length) empty();
}

function showSummary() {
  if (!currentQuery()) {
    $('summary').textContent = libraryTotal() === null ? '' : text('n_pictures', { n: libraryTotal() });
    return;
  }
  const searched = Math.max(first.scanned, readFilters().size ? 0 : status?.contents ?? 0);   // Milvus reports only how many rows it returned
  const among = searched === 0 ? text('no_match') : text('among', { n: searched, ms: number(Math.max(1, Math.round(first.took_ms))) });
  const undated = first.undated ? [text('undated', { n: first.undated })] : [];
  $('summary').textContent = [...countedGroups(), among, ...undated].join(' ');
}

// "3 best matches, 40 possible ones". The last group that is loaded may have more.
function countedGroups() {
  const counts = countHits();
  if (!counts) return searchSort === 'score' ? [] : [text('n_pictures', { n: countLoaded() })];
  const { best, near } = counts, more = n => n === countLoaded() && cursor !== null;
  const found = [best > 0 && text(more(best) ? 'best_and_more' : 'best', { n: best }),
    near > best && text(more(near) ? 'maybe_and_more' : 'maybe', { n: near - best })].filter(Boolean);
  return found.length ? [found.join(', ')] : [];
}

// Words that the model does not know: the results say little. A word behind a minus that was meant to be subtracted, and is not. One that is probably misspelled.
function showUnknown(words, misspelled) {
  const minus = signedWord(currentQuery());
  const lines = [words.length && text('unknown_words', { n: words.length, words: words.join(', ') }), minus && text('minus_word', { word: minus })].filter(Boolean);
  $('unknown').hidden = !lines.length && !misspelled;
  $('unknown').replaceChildren(lines.join(' '), ...(misspelled ? didYouMean(misspelled) : []));
}

function didYouMean({ word, meant, query }) {
  const [before, after] = text('nothing_meant', { words: '\0' }).split('\0'), params = currentParams();
  params.set('q', query);
  params.delete('line');
  return [element('span', { className: 'meant' }, ` ${text('nothing_missing', { words: word })} ${before}`, query ? link(params, {}, meant) : meant, after)];
}

function withCommand(key, command) {
  const [before, after] = text(key, { command: '\0' }).split('\0');
  return element('span', {}, before, element('code', {}, command), after);
}

function empty() {
  if (readFilters().size) {
    notice(text('no_match'), first?.nothing_found_by ? whyNothing(first.nothing_found_by) : text('no_match_help'), text('clear_filters'), () => $('filters').reset());
    return;
  }
  if (isRunning()) notice(text('empty_running'), text('empty_running_help'));
  else if (status?.indexing_allowed) notice(text('empty'), text('empty_allowed_help'), text('empty_button'), openIndexing);
  else notice(text('empty'), withCommand('empty_help', 'scry index ~/Pictures'));
}

// Milvus ends a ranking at a certain depth, and so does folding.
function showEnd(answer) {
  const remote = status?.store.startsWith('milvus:'), depth = remote ? REMOTE_DEPTH : folded ? FOLDED_DEPTH : Infinity;
  if (cursor !== null || !countLoaded()) $('end').replaceChildren();
  else if (currentQuery() && answer.scanned >= depth) endOfStore();
  else $('end').replaceChildren(text('end'));
}

function endOfStore() {
  const each = () => { folded = $('fold').checked = false; changed(); };
  $('end').replaceChildren(text('end_of_store'), folded ? element('button', { type: 'button', onclick: each }, text('show_each')) : '');
}

// A page failed to load. Past the depth at which a store ends its ranking the response is a 4xx.
function pageFailed(error, again) {
  if (first && error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401 && !error.passing) {
    cursor = null;
    endOfStore();
    return;
  }
  if (!first && !error.passing) {
    clearGrid();
    $('summary').textContent = '';
    $('end').replaceChildren();
  }
  failed(error, again);
}

function failed(error, again) {
  if (error instanceof ApiError && error.status === 401) {
    if (!$('login').open) $('login').showModal();
    return;
  }
  if (status?.rebuild && error.status === 409) {
    offerRebuild();
    return;
  }
  if (error instanceof ApiError && error.passing) {
    troubled = true;
    notice(text('server_gone'), text('server_gone_help'));
    $('notice').classList.toggle('floating', countLoaded() > 0);   // seen wherever one is among the pictures
    if (!probing) { probing = true; setTimeout(probe, RETRY_MS); }
    setTimeout(again, Math.max(RETRY_MS, error.retryAfterSeconds * 1000));
    return;
  }
  if (error.code === 'bad_parameter' && readFilters().size) notice(text('error'), explain(error), text('clear_filters'), () => $('filters').reset());
  else notice(text('error'), explain(error), text('retry'), () => { notice(''); again(); });
}

// The collection was made with an earlier version of the model.
function offerRebuild() {
  const { pictures, minutes } = status.rebuild;
  notice(text('rebuild_due'), text(minutes ? 'rebuild_help' : 'rebuild_help_untimed', { pictures, minutes, command: 'scry index --rebuild' }),
    status.indexing_allowed && text('rebuild_button'), rebuild);
}

// Whether the server answers: what was asked for may have no way to say that it came.
async function probe() {
  let again = false;
  try {
    await request('api/v1/status');
    if (troubled) recovered();
  } catch (e) {
    again = e.passing;
    failed(e, probe);
  }
  probing = again;
}

// A thumbnail or a picture did not come.
function lost() {
  if (probing) return;
  probing = true;
  probe();
}

// The server is reachable again: its collection may have changed, and pictures that did not come are asked for again.
function recovered() {
  troubled = false;
  notice('');
  showGoneAgain();
  showFailedAgain();
  loadStatus().then(showSummary).catch(() => {});
}

// The collection has changed; what is looked at stays where it is.
async function searchAnew() {
  await loadStatus().catch(() => {});
  staleStart();
  search({ y: scrollY, n: countLoaded() });
}

// While an index run goes on: as long as the pictures do not fill the window, and nobody is busy with one.
function grown() {
  const { activeElement } = document;
  if (currentQuery() || comparing || mapIsOpen() || $('grid').offsetHeight > innerHeight || anyChosen() || $('viewer').open || activeElement?.closest('.hit')) return;
  searchAnew();
}

// All pictures, from the first one.
async function viewPictures() {
  await loadStatus().catch(() => {});
  staleStart();
  go(new URLSearchParams());
}

function fillScreen() {
  if (cursor !== null && !loading && !farIsHidden() && $('end').getBoundingClientRect().top < innerHeight * (1 + SCREENS_AHEAD)) loadPage(turn);
}

// ---- the score threshold: a line between hits and the rest ----

const currentLine = () => (currentQuery() ? movedLine ?? first?.min_score ?? null : null);

function showLine() {
  const line = currentLine(), best = first?.results[0]?.score ?? 0;
  $('closeness').hidden = !currentQuery() || !document.body.classList.contains('scored') && movedLine === null;
  $('line').max = Math.max(0.6, Math.ceil(best * 20) / 20, line ?? 0);
  $('line').min = Math.min(0, line ?? 0);
  $('line').value = line ?? 0;
  $('line-value').textContent = line === null ? '–' : line.toFixed(3);
  $('reset-line').hidden = movedLine === null;
  setBorders(movedLine === null ? null : { best: first?.best_score ?? null, line }, farHidden);
}

function showSorting() {
  const query = !!currentQuery();
  for (const option of $('sort').options) option.hidden = option.disabled = !(query ? SEARCH_SORTS : SORTS).includes(option.value);
  $('sort').value = query ? searchSort : sort;
  $('reverse').hidden = query && searchSort === 'score';
  $('reverse').setAttribute('aria-pressed', reversed);
}

function sortBy(by, reverse) {
  if (currentQuery()) searchSort = by;
  else sort = by;
  reversed = reverse;
  showSorting();
  changed();
}

function moveLine(value) {
  movedLine = value;
  showLine();
  showSummary();
  setAddress(true);
  fillScreen();
}

function toggleFar() {
  farHidden = !farHidden;
  setAddress(true);
  showLine();
  fillScreen();
}

// ---- a picture to search by: chosen, dropped, pasted ----

async function addUploads(files) {
  for (const file of files) {
    busy(true);
    try {
      const { picture } = await uploadPicture(file);
      addPicture('p', picture);
      movedLine = null;
      changed();
    } catch (e) {
      busy(false);
      if (e.status === 401 || e.passing) failed(e, () => addUploads([file]));
      else remark(text('bad_picture'), `${file.name}: ${explain(e)}`);
    }
  }
}

const isPicture = f => f.type.startsWith('image/') || /\.(heic|heif|jxl|avif|tiff?|cr2|cr3|nef|arw|dng|orf|rw2)$/i.test(f.name);
const picturesOf = list => [...(list?.files ?? [])].filter(isPicture);

function onDrop(e) {
  e.preventDefault();
  $('drop').hidden = true;
  if ($('login').open || $('indexing').open) return;
  hideViewer();
  const id = e.dataTransfer.getData('application/x-scry-picture');
  if (id) { addPicture('id', id); changed(); }
  else if (picturesOf(e.dataTransfer).length) addUploads(picturesOf(e.dataTransfer));
  else remark(e.dataTransfer.files.length ? text('not_picture', { name: e.dataTransfer.files[0].name }) : text('no_file'), text('drop_help'));
}

function setDrop() {
  addEventListener('dragover', e => { e.preventDefault(); $('drop').hidden = false; });
  addEventListener('dragleave', e => { if (!e.relatedTarget) $('drop').hidden = true; });
  addEventListener('drop', onDrop);
  addEventListener('paste', e => { const files = picturesOf(e.clipboardData); if (files.length) { e.preventDefault(); addUploads(files); } });
  $('choose').onclick = () => $('file').click();
  $('file').onchange = () => { addUploads([...$('file').files]); $('file').value = ''; };
}

// ---- panels ----

const isPhone = () => matchMedia('(max-width: 700px)').matches;

function setPanel(button, panel, opened = () => {}) {
  const hide = () => panel.close();
  button.onclick = () => {
    if (panel.open) { hide(); return; }
    panel[isPhone() ? 'showModal' : 'show']();
    button.setAttribute('aria-expanded', 'true');
    opened();
  };
  panel.addEventListener('close', () => button.setAttribute('aria-expanded', 'false'));
  panel.addEventListener('click', e => { if (e.target === panel && panel.matches(':modal')) hide(); });   // the backdrop
  panel.addEventListener('keydown', e => { if (e.key === 'Escape') { hide(); button.focus(); } });
  panel.querySelector('.done').onclick = hide;
}

async function loadStatus() {
  status = await request('api/v1/status');
  setRoots(status.roots.map(r => r.path));
  allowMarks(status.marks_allowed);
  for (const id of ['favourite', 'chosen-favourite']) $(id).hidden = !status.marks_allowed;
  $('chosen-remove').hidden = !status.remove_allowed;
  $('open-index').hidden = !status.indexing_allowed;
  $('about').textContent = `scry ${status.version} · ${text('model')}: ${status.model.name}`;
}

// Only when they are wanted: the names are slow to find.
function showLanguages() {
  $('language').replaceChildren(...status.languages.map(l => new Option(languageName(l), l)));
  $('language').value = document.documentElement.lang;
}

async function speak(language) {
  await chooseLanguage(language);
  await loadStatus();
  showLanguages();
  drawChips();
  drawFilters(changed);
  redraw();
  redrawMap();
  redrawStart();
  showSelection();
  if (comparing) search();
  if (first) showSummary();
  if ($('filters-panel').open) loadFacets(folded).catch(() => {});
}

function showScores(on) {
  $('scores').checked = on;
  document.body.classList.toggle('scored', on);
}

// ---- around ----

function onKey(e) {
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog:modal')) return;
  const does = { '/': () => { $('text').focus(); $('text').select(); }, j: () => moveActive(1), k: () => moveActive(-1), '?': openHelp,
    Escape: isRemark() ? closeRemark : anyChosen() && !document.querySelector('dialog[open]') ? clearChosen : null }[e.key];
  if (does) { e.preventDefault(); does(); }
}

const openHelp = () => $('help').showModal();

// A click on a picture: chooses it in select mode, else opens it; with Ctrl it is the browser's.
function clicked(index, e) {
  if (e.altKey || (!choosing() && (e.ctrlKey || e.metaKey))) return;
  e.preventDefault();
  if (e.shiftKey) extend(index);
  else if (choosing()) toggle(index);
  else openViewer(index);
}

function addPictures(pictures) {
  for (const { id } of pictures) addPicture('id', id);
  movedLine = null;
  changed();
}

// The picture in the timeline, open, where its neighbours are those in time.
function showAround(hit) {
  hideViewer();
  savePlace();
  history.pushState(null, '', location.pathname + '#picture=' + hit.id);
  restore();
  drawFilters(changed);
  search({ y: 0 });
}

function removeThese(pictures) {
  removePictures(pictures, ids => { forgetChosen(ids); search({ y: scrollY, n: countLoaded() }); });
}

async function favour(pictures, on) {
  try {
    await setFavourite(pictures, on);
    redrawHits(pictures);
    showSelection();
    showFavourite();
    staleStart();
    loadStart();
  } catch (e) {
    hideViewer();
    failed(e, () => favour(pictures, on));
  }
}

function searchByAll(pictures) {
  onlyPicture('id', pictures[0].id);
  addPictures(pictures.slice(1));
}

function onPop() {
  typing = false;
  const place = history.state;
  if (location.search !== shownSearch) {
    hideViewer();
    restore();
    drawFilters(changed);
    search(place ?? {});
  } else showAddressed();
}

// The records of all group members whose ids are in the search result.
const unfold = async hit => {
  const ids = hit.folded_ids ?? [];
  const copies = hit.copies ? (await request(`api/v1/images/${hit.id}/similar?all_copies=1&limit=${hit.copies + 1}`)).results : [];
  const folded = await Promise.all(ids.map(id => request(`api/v1/images/${id}`).catch(() => null)));
  return [...copies.filter(h => h.id !== hit.id), ...folded.filter(Boolean)];
};

function wireSearch() {
  let timer;
  $('text').addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(typed, TYPING_MS); });
  $('text').addEventListener('blur', () => { typing = false; });
  $('text').addEventListener('keydown', e => {
    if (e.key === 'Enter') { e.preventDefault(); $('search').requestSubmit(); }   // chips have fields, too: then Enter alone does not submit
    if (e.ctrlKey && !$('text').value && ['Home', 'End'].includes(e.key)) scrollTo(0, e.key === 'End' ? document.documentElement.scrollHeight : 0);   // there is no text to go to the end of
    if (e.key === 'Escape' && isRemark()) closeRemark();
    if (e.key === 'ArrowDown' && countLoaded()) { e.preventDefault(); focusHit(0); }
  });
  $('search').addEventListener('submit', e => { e.preventDefault(); clearTimeout(timer); changed({ replace: currentParams() == location.search.slice(1) }); noteSearch(currentQuery(), true); });
  $('line').addEventListener('input', () => moveLine(+$('line').value));
  $('sort').onchange = () => sortBy($('sort').value, false);
  $('reverse').onclick = () => sortBy($('sort').value, !reversed);
  $('reset-line').onclick = () => moveLine(null);
  $('fold').onchange = () => { folded = $('fold').checked; changed(); };
  showScores(localStorage.getItem('scores') === 'yes');
  $('scores').onchange = () => { localStorage.setItem('scores', $('scores').checked ? 'yes' : 'no'); showScores($('scores').checked); showLine(); };
  $('language').onchange = () => speak($('language').value);
}

function wirePage() {
  let timer;
  history.scrollRestoration = 'manual';
  addEventListener('popstate', onPop);
  addEventListener('keydown', onKey);
  addEventListener('scroll', () => { const y = scrollY; fillScreen(); clearTimeout(timer); timer = setTimeout(savePlace, 300, y); }, { passive: true });
  addEventListener('resize', fillScreen);
  setPanel($('show-filters'), $('filters-panel'), () => loadFacets(folded).catch(() => {}));
  setPanel($('show-more'), $('more-panel'), showLanguages);
  $('open-help').onclick = openHelp;
  $('show-map').onclick = toggleMap;
  $('open-duplicates').onclick = () => { $('more-panel').close(); compare('0.95'); };
  $('login').addEventListener('cancel', e => e.preventDefault());
  $('login-form').addEventListener('submit', logIn);
  setDrop();
}

async function logIn(event) {
  event.preventDefault();
  $('login-error').textContent = '';
  try {
    await request('login', { method: 'POST', body: JSON.stringify({ token: new FormData(event.target).get('token') }) });
    $('login').close();
    start();
  } catch (e) {
    $('login-error').textContent = e.status === 401 ? text('wrong_token') : explain(e);
  }
}

async function start() {
  try {
    await loadStatus();
  } catch (e) {
    failed(e, start);
    return;
  }
  const early = $('text').value;   // typed before this script ran
  restore();
  drawFilters(changed);
  if (early && !location.search) {
    $('text').value = early;
    typed();
    forgetEarly();
    return;
  }
  if (isPhone() && currentQuery()) $('text').blur();   // hides the keyboard, which covers the pictures
  search(history.state ?? {});
  forgetEarly();
  if (status.indexing_allowed) thumbsShown().then(watchRun);
}

await loadStrings();
wireSearch();
wirePage();
setChips(changed);
setFilters(changed);
setGrid({ open: openViewer, similar: hit => searchWith('id', hit.id), unfold, toggleFar, want: wantPictures, laid: drawScrubber, years: makeRoom, lost,
  click: clicked, chosen: isChosen, choose: toggle, extend });
setSelection({ add: addPictures, search: searchByAll, load: pictureAt, remove: removeThese, favourite: favour });
setScrubber();
setIndexing({ done: searchAnew, grown, view: viewPictures, isEmpty: () => status?.contents === 0, roots: () => status?.roots.map(r => r.path) ?? [] });
setDragging({ choosing, begin: beginDrag, range: dragRange, these: dragOver, end: endDrag });
setDuplicates({ open: hit => openPicture(hit), failed, title: words => { $('summary').textContent = words; }, changed: compare });
setMarks({ current: () => ({ query: currentQuery(), filters: readFilters() }), saved: staleStart });
setStart({ go });
setMap({ near: onlyNear, failed, moved: () => { if (mapIsOpen()) setAddress(true); }, circle: () => placeFilter('near'), inBox: onlyInBox, box: () => placeFilter('box') });
setViewer({
  similar: hit => searchWith('id', hit.id),
  region: (hit, region) => searchWith('id', hit.id, region),
  add: hit => { const wasOpen = hideViewer(); addPicture('id', hit.id); movedLine = null; changed({ replace: wasOpen }); },
  filter: (name, value) => { const wasOpen = hideViewer(); addFilter(name, value); changed({ replace: wasOpen }); },
  needMore: () => { if (cursor !== null && !loading) loadPage(turn); },
  load: pictureAt,
  query: currentQuery,
  help: openHelp,
  map: showOnMap,
  favourite: favour,
  lost,
  around: showAround,
  total: () => (cursor === null || reachable() < countLoaded() ? reachable() : null),
});
start();
prepareOffline();
