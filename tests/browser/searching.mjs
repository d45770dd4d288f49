// searching.mjs - searches by words, pictures and filters, and their results.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { api, assert, firstName, names, open, openHit, query, search, serve, settled, temporary, test, top, until } from './harness.mjs';

const cat = top + '/demo/gallery/animals/cat.jpg';

// A file as it is dropped or pasted.
async function bring(page, type, path) {
  const bytes = [...readFileSync(path)];
  await page.evaluate(([kind, name, content]) => {
    const data = new DataTransfer(), file = new File([new Uint8Array(content)], name, { type: 'image/jpeg' });
    data.items.add(file);
    const event = kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
      : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
  }, [type, path.split('/').pop(), bytes]);
}

// A page with the setting that shows scores.
async function openScored(url) {
  const page = await open(url);
  await page.evaluate(() => localStorage.setItem('scores', 'yes'));
  await page.reload();
  await settled(page);
  return page;
}

export async function searching({ root, store }) {
  const server = await serve(['--store', store]), { url } = server;

  await test('start: the search box has the focus, all pictures are shown', async () => {
    const page = await open(url);
    await settled(page);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'text');
    const { total } = await api(url + '/api/v1/timeline?unique=1');
    assert.equal(await page.textContent('#summary'), `${total} pictures`);
    assert.equal(await page.isVisible('#closeness'), false);
  });

  await test('typing: searches after a pause, not at every letter', async () => {
    const page = await open(url);
    await settled(page);
    await page.clock.install();
    const asked = [];
    page.on('request', r => { if (r.url().includes('/search?')) asked.push(new URL(r.url()).searchParams.get('q')); });
    await page.clock.pauseAt(Date.now() + 60000);
    await page.locator('#text').pressSequentially('a castle by the water');
    assert.deepEqual(asked, []);
    await page.clock.runFor(1000);
    await page.clock.resume();
    await until(async () => assert.equal(await firstName(page), 'castle-by-the-water.jpg'));
    assert.deepEqual(asked, ['a castle by the water']);
    assert.equal(query(page).get('q'), 'a castle by the water');
  });

  await test('typing: the response to an older query is discarded', async () => {
    const page = await open(url);
    await settled(page);
    let letGo, held = new Promise(resolve => { letGo = resolve; }), aborted = false;
    await page.route(/q=pineapples/, async route => { await held; await route.continue().catch(() => {}); });
    page.on('requestfailed', r => { aborted ||= /q=pineapples/.test(r.url()); });
    const asked = page.waitForRequest(/q=pineapples/);
    await page.fill('#text', 'pineapples');
    await asked;
    assert.equal(await page.isVisible('#busy'), true);
    await search(page, 'a castle by the water');
    letGo();
    await page.waitForLoadState('networkidle');
    assert.equal(await firstName(page), 'castle-by-the-water.jpg');
    assert.equal(aborted, true);
  });

  await test('the address holds the query: shared, reloaded, back and forward', async () => {
    const page = await open(url);
    await search(page, 'a castle by the water');
    await page.press('#text', 'Enter');
    const found = await names(page), address = page.url();
    await page.locator('#text').blur();
    await search(page, 'a horse');
    assert.equal(await firstName(page), 'horse.jpg');
    await page.goBack();
    await until(async () => assert.deepEqual((await names(page)).slice(0, 5), found.slice(0, 5)));
    assert.equal(await page.inputValue('#text'), 'a castle by the water');
    await page.goForward();
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    await page.reload();
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    const other = await open(address);
    await settled(other);
    assert.deepEqual((await names(other)).slice(0, 8), found.slice(0, 8));
  });

  await test('going back restores the scroll position', async () => {
    const page = await open(url);
    await settled(page);
    await page.mouse.wheel(0, 1500);
    await until(async () => assert.ok(await page.evaluate(() => scrollY > 1000 && history.state?.y === scrollY)));
    const was = await page.evaluate(() => scrollY);
    await page.fill('#text', 'a horse');
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    await page.goBack();
    await until(async () => assert.equal(await page.evaluate(() => scrollY), was));
  });

  for (const [how, give] of [
    ['chosen', page => page.setInputFiles('#file', cat)],
    ['dropped', page => bring(page, 'drop', cat)],
    ['pasted', page => bring(page, 'paste', cat)],
  ]) await test(`a picture to search by: ${how}`, async () => {
    const page = await open(url);
    await settled(page);
    await give(page);
    await until(() => assert.match(query(page).get('q') ?? '', /^@p:[0-9a-f]{32}$/));
    await settled(page);
    assert.match(await firstName(page), /^(cat|the-cat-again)\.jpg$/);
    await page.waitForFunction(() => document.querySelector('.chip img')?.naturalWidth > 0);
    await page.reload();
    await settled(page);
    assert.match(await firstName(page), /^(cat|the-cat-again)\.jpg$/);
  });

  await test('a file that is not a picture is reported', async () => {
    const page = await open(url);
    await settled(page);
    await page.setInputFiles('#file', { name: 'x.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') });
    await until(async () => assert.match(await page.textContent('#notice'), /cannot be used.*x\.jpg: /));
  });

  await test('a misspelled word: what was probably meant is a link that searches for it, with the same filters', async () => {
    const page = await open(url + '/?q=a+Giraffee&format=jpeg');
    await settled(page);
    assert.equal((await page.textContent('#unknown .meant')).trim(), 'No picture has giraffee. Did you mean giraffe?');
    const wanted = { q: 'a giraffe', format: 'jpeg' }, asked = params => Object.fromEntries(new URLSearchParams(params));
    assert.deepEqual(asked((await page.getAttribute('#unknown a', 'href')).slice(1)), wanted);
    await page.click('#unknown a');
    await until(async () => assert.deepEqual(asked(query(page)), wanted));
    await settled(page);
    assert.equal(await firstName(page), 'giraffe.jpg');
    assert.equal(await page.inputValue('#text'), 'a giraffe');
    assert.equal(await page.isVisible('#unknown'), false);
    await page.goBack();
    await until(async () => assert.equal(await page.textContent('#unknown a'), 'giraffe'));
    const french = await open(url + '/?q=giraffee', { locale: 'fr-FR' });
    await settled(french);
    assert.match(await french.textContent('#unknown'), /Aucune image n’a giraffee\. Vouliez-vous dire giraffe.\?$/);
  });

  await test('a drop that is no picture is explained, and the notice is closed by a button', async () => {
    const page = await open(url);
    await settled(page);
    const drop = fill => page.evaluate(named => {
      const data = new DataTransfer();
      if (named) data.items.add(new File(['text'], named, { type: 'text/plain' }));
      else data.setData('text/plain', 'some words');
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }, fill);
    for (const [named, told] of [['notes.txt', /“notes\.txt” is not a picture.*Drop a JPEG/], ['', /no picture in what was dropped.*Drop a JPEG/]]) {
      await drop(named);
      assert.match(await page.textContent('#notice'), told);
      await page.click('#notice button');
      assert.equal(await page.isVisible('#notice'), false);
    }
    for (const focus of ['#text', null]) {   // far down in the list, by keyboard
      await page.evaluate(to => scrollTo(0, to), focus ? 0 : 1e6);
      await (focus ? page.focus(focus) : page.locator('#text').blur());
      const y = await page.evaluate(() => scrollY);
      await drop('notes.txt');
      const { top, bottom } = await page.$eval('#notice', el => el.getBoundingClientRect().toJSON());
      assert.ok(top > 0 && bottom < page.viewportSize().height, `${top} ${bottom}`);
      assert.equal(await page.getAttribute('#notice', 'role'), 'alert');
      assert.equal(await page.evaluate(() => scrollY), y);
      await page.keyboard.press('Escape');
      assert.equal(await page.isVisible('#notice'), false);
    }
    assert.ok((await names(page)).length > 10);
  });

  await test('a result dragged onto the page becomes a part of the query', async () => {
    const page = await open(url + '/?q=a+horse');
    await settled(page);
    await page.dragAndDrop('.hit[data-index="0"] .open', '.box');
    await until(async () => assert.match(query(page).get('q'), /^a horse \+ @id:[0-9a-f]{32}$/));
  });

  await test('more like this, on every result', async () => {
    const page = await open(url + '/?q=a+horse');
    await settled(page);
    await page.hover('.hit[data-index="0"]');
    await page.click('.hit[data-index="0"] .like');
    await until(async () => assert.match(query(page).get('q'), /^@id:[0-9a-f]{32}$/));
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    assert.equal(await page.inputValue('#text'), '');
  });

  for (const by of ['mouse', 'keyboard']) await test(`a rectangle on a picture, by ${by}`, async () => {
    const page = await open(url + '/?q=a+castle+by+the+water');
    await settled(page);
    await openHit(page);
    const frame = await page.locator('#frame').boundingBox();
    if (by === 'mouse') {
      await page.click('#by-region');
      await page.mouse.move(frame.x + frame.width / 4, frame.y + frame.height / 2);
      await page.mouse.down();
      await page.mouse.move(frame.x + frame.width / 2, frame.y + frame.height, { steps: 4 });
      await page.mouse.up();
    } else {
      await page.focus('#by-region');
      await page.keyboard.press('Enter');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Shift+ArrowDown');
      await page.keyboard.press('Enter');
    }
    await until(async () => assert.match(query(page).get('q'), /#/));
    const [x, y, w, h] = query(page).get('q').split('#')[1].split(',').map(Number);
    const near = (got, wanted) => assert.ok(Math.abs(got - wanted) <= 4, `${[x, y, w, h]}`);
    if (by === 'mouse') { near(x, 160); near(y, 240); near(w, 160); near(h, 240); }   // of 640 x 480
    else { near(x, 144); near(y, 120); near(w, 320); near(h, 252); }
    await settled(page);
    assert.equal(await page.isVisible('#viewer'), false);
    await page.waitForFunction(() => document.querySelector('.chip img')?.naturalWidth > 0);
    const [part, whole] = [await page.locator('.chip .part').boundingBox(), await page.locator('.chip img').boundingBox()];
    const within = (got, wanted) => assert.ok(Math.abs(got - wanted) < 0.02, `${got} ${wanted}`);   // the middle of the chip shows the middle of the part
    within((part.x + part.width / 2 - whole.x) / whole.width, (x + w / 2) / 640);
    within((part.y + part.height / 2 - whole.y) / whole.height, (y + h / 2) / 480);
    assert.ok(part.width / whole.width <= w / 640 + 0.02 && part.height / whole.height <= h / 480 + 0.02, 'nothing beside the part');
  });

  await test('chips: +, -, weights, removal', async () => {
    const page = await open(url);
    await settled(page);
    await page.fill('#text', 'a fish');
    await page.click('#minus');   // negates what is typed next
    await until(() => assert.equal(query(page).get('q'), 'a fish'));
    assert.equal(await page.isVisible('#sign'), true);
    await page.fill('#text', 'blue');
    await until(() => assert.equal(query(page).get('q'), 'a fish - blue'));
    await page.click('#sign');
    await until(() => assert.equal(query(page).get('q'), 'a fish + blue'));
    await page.fill('#text', '');
    await until(() => assert.equal(query(page).get('q'), 'a fish'));
    await page.fill('#text', 'water');
    await page.click('#minus');
    await until(() => assert.equal(query(page).get('q'), 'a fish + water'));
    await page.press('#text', 'Backspace');
    assert.equal(await page.isVisible('#sign'), false);
    await page.press('#text', 'Backspace');
    await until(() => assert.equal(query(page).get('q'), 'a fish'));
    await page.click('#text');
    await page.fill('#text', 'blue');
    await page.press('#text', 'Enter');   // at once, although the chips have fields of their own
    assert.equal(query(page).get('q'), 'a fish + blue');
    await page.reload();
    await settled(page);
    assert.equal(await page.inputValue('#text'), 'a fish');
    await page.click('#minus');
    await page.fill('#text', 'green');
    await page.click('#plus');
    await until(() => assert.equal(query(page).get('q'), 'a fish + blue - green'));
    await page.press('#text', 'Backspace');
    await page.press('#text', 'Backspace');
    await until(() => assert.equal(query(page).get('q'), 'a fish'));
    await page.fill('#text', '- blue');
    await page.click('#plus');
    await until(() => assert.equal(query(page).get('q'), 'a fish - blue'));
    await page.fill('.chip:nth-child(2) input', '0.5');
    await page.press('.chip:nth-child(2) input', 'Enter');
    await until(() => assert.equal(query(page).get('q'), 'a fish - 0.5:blue'));
    await settled(page);
    const { results } = await api(`${url}/api/v1/search?q=${encodeURIComponent('a fish - 0.5:blue')}`);
    await until(async () => assert.equal(await firstName(page), results[0].name));
    await page.click('.chip:nth-child(2) button:first-child');
    await until(() => assert.equal(query(page).get('q'), 'a fish + 0.5:blue'));
    await page.click('.chip:nth-child(1) button:last-child');
    await until(() => assert.equal(query(page).get('q'), '0.5:blue'));
    await page.reload();
    await settled(page);
    assert.equal(await page.inputValue('.chip input'), '0.5');
    await page.press('#text', 'Backspace');
    await until(() => assert.equal(query(page).get('q'), null));
  });

  await test('operators typed in the box are the same query', async () => {
    const page = await open(url);
    await search(page, 'a fish - 0.5:blue');
    const { results } = await api(`${url}/api/v1/search?q=${encodeURIComponent('a fish - 0.5:blue')}`);
    assert.equal(await firstName(page), results[0].name);
  });

  await test('filters: each alone, with a query, removed', async () => {
    const page = await open(url);
    await settled(page);
    await page.click('#show-filters');
    const only = async (set, name, wanted) => {
      await set();
      await until(async () => assert.deepEqual((await names(page)).sort(), [wanted].flat()));
      assert.ok(query(page).get(name), name);
      assert.equal(await page.textContent('#filter-count'), '1');
      await page.click('#active-filters button');
      await until(() => assert.equal(query(page).get(name), null));
      await until(async () => assert.ok((await names(page)).length > 10));
    };
    const pick = (name, value) => () => page.selectOption(`select[name=${name}]`, value);
    await until(async () => assert.ok(await page.locator('select[name=camera] option').count() > 1));
    await only(pick('camera', 'NIKON D90'), 'camera', 'exif-big.jpg');
    await only(pick('label', 'building'), 'label', ['igloo.jpg', 'taj-mahal.jpg']);
    await only(pick('in', root + '/gallery/plants'), 'in', ['dahlia.jpg', 'dandelions.jpg']);
    await only(() => page.check('[name=format][value=heic]', { force: true }), 'format', ['picture.heic', 'rocky-mountains.heic']);
    await only(() => page.fill('[name=until]', '1999-12-31'), 'until', 'exif-big.jpg');
    const dated = text => () => page.fill('[name=date]', text).then(() => page.press('[name=date]', 'Enter'));
    await only(dated('May 2024'), 'date', 'exif.jpg');
    await only(dated('в мае 2024 года'), 'date', 'exif.jpg');
    await only(dated('until 1999'), 'date', 'exif-big.jpg');
    await dated('soon')();
    await until(async () => assert.match(await page.textContent('#notice'), /date takes a date or a span such as 2024, .*, not "soon"/));
    await page.click('#filters [type=reset]');
    await page.fill('[name=after]', '2024-05-17');
    await page.fill('[name=until]', '2024-05-17');   // a day counts from its first to its last moment
    await until(async () => assert.deepEqual(await names(page), ['exif.jpg']));
    assert.equal(await page.textContent('#filter-count'), '2');
    await page.click('#filters [type=reset]');
    await until(async () => assert.equal(page.url().includes('?'), false));
    await only(() => page.fill('[name=position]', '48.1, -11.6').then(() => page.press('[name=position]', 'Enter')), 'near', 'exif-big.jpg');
    await pick('in', root + '/gallery/places')();
    await search(page, 'a horse');
    const inPlaces = await names(page);
    assert.ok(inPlaces.length >= 3 && !inPlaces.includes('horse.jpg'));
    await page.reload();
    await settled(page);
    assert.deepEqual((await names(page)).slice(0, 8), inPlaces.slice(0, 8));
    assert.equal(await page.inputValue('#text'), 'a horse');
  });

  await test('filters without results: a notice with a button to clear them', async () => {
    const page = await open(url + '/?q=a+horse&after=2099-01-01');
    await settled(page);
    assert.match(await page.textContent('#notice'), /No picture passes these filters.*No picture passes From Jan 1, 2099\. The pictures are from /);
    await page.goto(url + '/?label=buildign');   // a list says so, too
    await settled(page);
    assert.match(await page.textContent('#notice'), /No picture passes these filters.*No picture passes Label: buildign\. Did you mean building\? There are: building \(2\)\./);
    await page.goto(url + '/?label=building&format=heic');
    await settled(page);
    assert.match(await page.textContent('#notice'), /No picture passes all of these: Format: HEIC; Label: building\./);
    const russian = await open(url + '/?label=buildign', { locale: 'ru-RU' });
    await settled(russian);
    assert.match(await russian.textContent('#notice'), /Ни один снимок не подходит: Метка: buildign\. Может быть, building\? Есть: building \(2\)\./);
    await russian.goto(url + '/?date=soon');
    await until(async () => assert.match(await russian.textContent('#notice'), /записаны непонятно\. \(date.*soon/));
    await page.goto(url + '/?q=a+horse&after=2099-01-01');
    await settled(page);
    await page.click('#notice button');
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
  });

  await test('an invalid place is not sent', async () => {
    const page = await open(url);
    await settled(page);
    await page.click('#show-filters');
    await page.fill('[name=position]', 'Paris');
    await page.press('[name=position]', 'Enter');
    await until(async () => assert.equal(await page.$eval('[name=position]', f => f.validity.customError), true));
    assert.equal(query(page).get('near'), null);
  });

  await test('how close: the model\'s line by default, moved, kept in the address, put back', async () => {
    const page = await openScored(url + '/?q=a+castle+by+the+water&rest=yes'), line = () => page.textContent('#line-value');
    const { min_score, results } = await api(url + '/api/v1/search?q=a+castle+by+the+water&limit=100');
    assert.equal(await line(), min_score.toFixed(3));
    const above = results.filter(h => h.score >= min_score).length;
    const far = () => page.$$eval('#grid > li', all => +all[all.findIndex(li => li.textContent.startsWith('Further away')) + 1].dataset.index);
    assert.equal(await far(), above);
    await page.focus('#line');
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    const moved = parseFloat(query(page).get('line'));
    assert.ok(moved > min_score);
    assert.equal(await far(), results.filter(h => h.score >= moved).length);
    await page.reload();
    await settled(page);
    assert.equal(await line(), moved.toFixed(3));
    await page.click('#reset-line');
    assert.equal(await line(), min_score.toFixed(3));
    assert.equal(query(page).get('line'), null);
    await page.click('.divide button');
    await until(async () => assert.equal((await names(page)).length, above));
    assert.equal(query(page).get('rest'), null);
    await page.reload();
    await settled(page);
    await until(async () => assert.equal((await names(page)).length, above));
    await page.click('.divide button');
    await until(async () => assert.ok((await names(page)).length > above));
    assert.equal(query(page).get('rest'), 'yes');
  });

  // A page on a search of which `best` pictures are best ones and `near` are not far.
  async function openWithGroups(best, near) {
    const page = await open(url);
    await settled(page);
    await page.route(/api\/v1\/search/, async route => {
      const response = await route.fetch();
      if (!response.ok()) { await route.fulfill({ response }); return; }   // the page asks again
      const body = await response.json(), results = body.results.map((h, i) => ({ ...h, group: i < best ? 'best' : i < near ? 'maybe' : 'far' }));
      await route.fulfill({ response, json: { ...body, results } });
    });
    await search(page, 'a horse');
    return page;
  }
  const itemsOf = page => page.$$eval('#grid > li', all => all.map(li => li.classList.contains('divide') ? li.textContent : +li.dataset.index));

  await test('best matches, maybe, further away: a heading above each group, the last one folded', async () => {
    const page = await openWithGroups(3, 10);
    // What is below the window comes after the thumbnails in it.
    await until(async () => assert.deepEqual(await itemsOf(page), ['Best matches', 0, 1, 2, 'Maybe', 3, 4, 5, 6, 7, 8, 9, 'Further awayShow']));
    assert.match(await page.textContent('#summary'), /^3 best matches, 7 possible matches among/);
    await page.locator('.hit[data-index="0"] .open').focus();
    await page.keyboard.press('End');
    assert.equal(await page.evaluate(() => document.activeElement.closest('.hit').dataset.index), '9');
    await page.keyboard.press('Enter');
    await until(async () => assert.equal(await page.textContent('#position'), '10 of 10'));
    assert.equal(await page.isDisabled('#next'), true);
    await page.keyboard.press('Escape');
    await page.click('.divide button');
    await until(async () => assert.deepEqual((await itemsOf(page)).slice(12, 15), ['Further awayHide', 10, 11]));
    assert.equal(await page.$$eval('.hit img', all => all.every(img => getComputedStyle(img).opacity === '1')), true);
    await page.setViewportSize({ width: 700, height: 800 });   // laid out again
    await until(async () => assert.deepEqual((await itemsOf(page)).slice(0, 5), ['Best matches', 0, 1, 2, 'Maybe']));
  });

  await test('no best match: the possible ones under their heading', async () => {
    const page = await openWithGroups(0, 5);
    await until(async () => assert.deepEqual(await itemsOf(page), ['Maybe', 0, 1, 2, 3, 4, 'Further awayShow']));
    assert.match(await page.textContent('#summary'), /^5 possible matches among/);
    assert.equal(await page.isVisible('#notice'), false);
  });

  await test('the groups of the page are those of the API, and a cat is not further away', async () => {
    for (const words of ['a castle by the water', 'a cat', 'a wedding']) {
      const page = await open(`${url}/?rest=yes&q=${encodeURIComponent(words)}`), headings = { best: 'Best matches', maybe: 'Maybe', far: 'Further awayHide' };
      await settled(page);
      const { results } = await api(`${url}/api/v1/search?q=${encodeURIComponent(words)}&fold=auto&limit=100`);
      const expected = results.flatMap((h, i) => [...(h.group === results[i - 1]?.group ? [] : [headings[h.group]]), i]), items = await itemsOf(page);
      assert.ok(items.length > 5);
      assert.deepEqual(items, expected.slice(0, items.length));
      assert.notEqual(results[0].group, 'far');
      if (words === 'a cat') assert.notEqual(results.find(h => /^(cat|the-cat-again)\.jpg$/.test(h.name)).group, 'far');
    }
  });

  await test('a word with a minus in front is searched, and what would subtract it is said; a hyphen is no minus', async () => {
    const page = await open(url + '/?q=-people');
    await settled(page);
    assert.match(await page.textContent('#unknown'), /^“-people” is searched as it is written\. .*space behind the minus.*not/);
    for (const q of ['- people', 'a well-known horse', 'a horse - people']) {
      await page.goto(`${url}/?q=${encodeURIComponent(q)}`);
      await settled(page);
      assert.equal(await page.isVisible('#unknown'), false, q);
    }
    await search(page, 'a horse –people');
    assert.match(await page.textContent('#unknown'), /^“–people” is/);
  });

  await test('a picture that is not in the collection: said in the language of the page, with a word in place of its thumbnail', async () => {
    const none = '0'.repeat(32), page = await open(`${url}/?q=@id:${none}`, { locale: 'de' });
    await until(async () => assert.match(await page.textContent('#notice'), /Dieses Bild gehört nicht oder nicht mehr zur Sammlung\./));
    await until(async () => assert.deepEqual(await page.$$eval('.chip .word, .chip img', all => all.map(e => e.textContent)), ['Bild']));
    await page.goto(`${url}/#picture=${none}`);
    await until(async () => assert.match(await page.textContent('#notice.floating'), /Dieses Bild gehört nicht/));
    await page.click('#notice button');
    assert.equal(await page.isVisible('#notice'), false);
    assert.ok((await names(page)).length);
  });

  await test('unknown words are named in one line above the ranking', async () => {
    const page = await open(url + '/?q=asdfghjkl+qwerty');
    await settled(page);
    assert.match(await page.textContent('#unknown'), /^The model does not know this word: asdfghjkl\./);
    assert.ok(await page.locator('.hit').count() > 0);
    await search(page, 'a horse');
    assert.equal(await page.isVisible('#unknown'), false);
  });

  await test('a store that is known to be damaged: a notice above the results says so', async () => {
    const mark = store + '/collections/default/damaged';
    writeFileSync(mark, 'vectors-1.seg: bytes 0 to 4096 have changed');
    const page = await open(url + '/?q=a+horse');
    await settled(page);
    assert.match(await page.textContent('#notice'), /index is damaged.*run scry verify.*vectors-1\.seg: bytes 0 to 4096 have changed.*scry verify/);
    assert.equal(await firstName(page), 'horse.jpg');
    rmSync(mark);
    await search(page, 'a cat');
    assert.equal(await page.isVisible('#notice'), false);
  });

  await test('no numbers by default: scores and the line are shown when asked for, and the choice is kept', async () => {
    const page = await open(url + '/?q=a+horse'), shown = async () => [await page.isVisible('.hit .score'), await page.isVisible('#closeness')];
    await settled(page);
    assert.deepEqual(await shown(), [false, false]);
    assert.equal(await page.getAttribute('.hit .open', 'aria-label'), 'horse.jpg, found by words: File name');
    await page.click('#show-more');
    await page.check('#scores');
    assert.deepEqual(await shown(), [true, true]);
    assert.match(await page.getAttribute('.hit .open', 'aria-label'), /^horse\.jpg, 0\.\d+, found by words: File name$/);
    await page.reload();
    await settled(page);
    assert.deepEqual(await shown(), [true, true]);
    await page.click('#show-more');
    await page.uncheck('#scores');
    assert.deepEqual(await shown(), [false, false]);
  });

  await test('the nearest pictures are shown however low they score, with no notice above them', async () => {
    const page = await open(url + '/?q=a+computer');
    await settled(page);
    assert.ok((await names(page)).length >= 3);
    assert.equal(await page.isVisible('#notice'), false);
  });

  await test('copies of a file are one result with a count, which expands', async () => {
    const page = await open(url + '/?q=a+cat');
    await settled(page);
    const group = page.locator('.hit', { has: page.locator('.open[title$="/cat.jpg"], .open[title$="/the-cat-again.jpg"]') });
    assert.equal(await group.count(), 1);
    const all = (await names(page)).length;
    assert.equal(await group.locator('.stack').textContent(), '+1');
    await group.locator('.stack').click();
    await until(async () => assert.equal(await page.locator('.hit.member').count(), 1));
    assert.deepEqual((await names(page)).filter(n => ['cat.jpg', 'the-cat-again.jpg'].includes(n)).sort(), ['cat.jpg', 'the-cat-again.jpg']);
    await page.locator('.stack[aria-expanded=true]').click();
    await until(async () => assert.equal((await names(page)).length, all));
  });

  await test('near-duplicates are one result with a count, unless folding is off', async () => {
    const alike = ['deflate.tif', 'lzw.tif', 'rgb.png'], trip = encodeURIComponent(root + '/trip');
    const { results } = await api(`${url}/api/v1/images?in=${trip}`);
    const page = await open(`${url}/?in=${trip}&q=%40id:${results.find(h => h.name === 'rgb.png').id}`);
    await settled(page);
    const shown = async () => (await names(page)).filter(n => alike.includes(n)).sort();
    assert.equal((await shown()).length, 1);
    await page.locator('.hit[data-index="0"] .stack').click();
    await until(async () => assert.deepEqual(await shown(), alike));
    await page.click('#show-more');
    await page.uncheck('#fold');
    await until(async () => assert.equal(await page.locator('.stack').count(), 0));
    await until(async () => assert.deepEqual(await shown(), alike));
    assert.equal(query(page).get('fold'), 'no');
    await page.reload();
    await settled(page);
    assert.deepEqual(await shown(), alike);
  });

  await test('a query picture that the server no longer has is reported; a path is searched as text', async () => {
    const page = await open(`${url}/?q=%40p:${'0'.repeat(32)}`);
    await until(async () => assert.match(await page.textContent('#notice'), /did not work/));
    await page.goto(url + '/?q=%40%2Fetc%2Fpasswd');
    await settled(page);
    assert.ok(await firstName(page));
  });

  await server.stop();
}
