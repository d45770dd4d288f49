// library.mjs - the pictures without a query: the timeline, its years, other orders, and any place of 100,000 pictures.

import { readFileSync } from 'node:fs';
import { accessible, api, assert, open, phone, query, serve, settled, test, top, until } from './harness.mjs';

const COUNT = 100000;
const tile = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const idOf = i => i.toString(16).padStart(32, '0');
const headings = page => page.$$eval('.divide', all => all.map(li => li.textContent));
const month = day => new Date(day + 'T12:00Z').toLocaleDateString('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });

const evenly = Array.from({ length: COUNT / 20 }, (_, k) => ({ day: new Date(Date.UTC(2024, 11, 31) - k * 864e5).toISOString().slice(0, 10), count: 20, offset: 20 * k }));

// The server's lists replaced by 100,000 pictures, newest first.
async function openMany(url, address = '/', options = {}, days = evenly) {
  const page = await open(url + '/?format=none', options);   // has no pictures
  const dayOf = i => days.findLast(d => d.offset <= i).day;
  const asked = [];
  await page.route('**/api/v1/timeline?*', route => route.fulfill({ json: { total: COUNT, days } }));
  await page.route('**/api/v1/images?*', route => {
    const params = new URL(route.request().url()).searchParams, offset = +(params.get('offset') ?? 0);
    asked.push(offset);
    return route.fulfill({ json: { total: COUNT, cursor: null, results: Array.from({ length: Math.min(+params.get('limit'), COUNT - offset) }, (_, k) => ({
      id: idOf(offset + k), path: `/p/${offset + k}.jpg`, name: `${offset + k}.jpg`, folder: '/p', width: 4, height: 3, format: 'jpeg', size: 1, taken_at: dayOf(offset + k) })) } });
  });
  for (const kind of ['thumbnail?*', 'view']) await page.route('**/api/v1/images/*/' + kind, route => route.fulfill({ body: tile, contentType: 'image/png' }));
  await page.goto(url + address);
  await settled(page);
  return { page, asked };
}

// Every picture in the window has its record and its thumbnail, and the window does not move.
async function atRest(page) {
  const state = () => page.evaluate(() => {
    const inside = [...document.querySelectorAll('.hit')].filter(li => { const r = li.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight; });
    return { y: scrollY, height: document.documentElement.scrollHeight, blank: inside.filter(li => !(li.querySelector('img')?.naturalWidth > 0)).length, first: inside[0]?.dataset.index, count: inside.length };
  });
  return until(async () => {
    const was = await state();
    await page.evaluate(() => new Promise(resolve => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
    const now = await state();
    assert.deepEqual(now, was);
    assert.equal(now.blank, 0);
    assert.ok(now.count > 0);
    return now;
  });
}

export async function library({ store }) {
  const server = await serve(['--store', store]), { url } = server;

  await test('headings begin with a capital in every language', async () => {
    for (const locale of ['ru', 'es']) {
      const page = await open(url, { locale });
      await settled(page);
      for (const heading of await headings(page)) assert.match(heading, /^\p{Lu}\p{Ll}+ .*\d{4}/u);
    }
  });

  await test('the start page is a timeline: a heading for each month, newest first', async () => {
    const page = await open(url);
    await settled(page);
    const { days, total } = await api(url + '/api/v1/timeline?unique=1'), { results } = await api(url + '/api/v1/images?sort=date&unique=1&limit=1000');
    assert.equal(results.length, total);
    const months = [...new Set(days.map(d => month(d.day)))];
    assert.ok(months.length >= 3);
    assert.equal((await headings(page))[0], months[0]);
    await page.locator('#text').blur();
    const seen = new Map(), told = new Set();
    await until(async () => {
      for (const [index, title] of await page.$$eval('.hit', all => all.map(li => [+li.dataset.index, li.querySelector('.open').title]))) seen.set(index, title);
      for (const heading of await headings(page)) told.add(heading);
      await page.mouse.wheel(0, 700);
      assert.equal(seen.size, total);
    });
    assert.deepEqual([...told], months);
    assert.deepEqual(results.map((_, i) => seen.get(i)), results.map(h => h.path));
    for (const at of [0, 40, total - 1]) {   // a shared address finds the place of its picture
      const other = await open(`${url}/#picture=${results[at].id}`);
      await until(async () => assert.equal(await other.textContent('#position'), `${at + 1} of ${total}`));
    }
  });

  await test('other orders: by name, size and date added, reversed, kept in the address', async () => {
    const page = await open(url), shown = () => page.$$eval('.hit .open', all => all.slice(0, 12).map(a => a.title));
    await settled(page);
    const expect = async params => {
      const { results } = await api(`${url}/api/v1/images?unique=1&limit=12&${params}`);
      await until(async () => assert.deepEqual(await shown(), results.map(h => h.path)));
    };
    for (const by of ['name', 'size', 'added']) {
      await page.selectOption('#sort', by);
      await expect('sort=' + by);
      assert.deepEqual(await headings(page), []);
      assert.equal(await page.isVisible('#scrubber'), false);
    }
    await page.click('#reverse');
    await expect('sort=added&reverse=1');
    await page.reload();
    await expect('sort=added&reverse=1');
    assert.equal(await page.inputValue('#sort'), 'added');
    await page.selectOption('#sort', 'date');
    await expect('sort=date');
    await page.click('#reverse');
    await expect('sort=date&reverse=1');
    assert.equal(query(page).get('reverse'), '1');
    await page.goBack();
    await expect('sort=date');
    await page.fill('#text', 'a horse');
    await until(async () => assert.equal(await page.inputValue('#sort'), 'score'));
    assert.equal(await page.isVisible('#reverse'), false);
    await page.goBack();
    await until(async () => assert.equal(await page.inputValue('#sort'), 'date'));
  });

  await test('a search by date, name and size: what is not far, in that order', async () => {
    const page = await open(`${url}/?q=an+animal`), shown = () => page.$$eval('.hit .open', all => all.map(a => a.title));
    await settled(page);
    assert.ok((await headings(page)).length);
    for (const [by, reverse] of [['date', ''], ['name', ''], ['size', ''], ['size', '1']]) {
      if (reverse) await page.click('#reverse');
      else await page.selectOption('#sort', by);
      const { results } = await api(`${url}/api/v1/search?q=an+animal&fold=auto&min_score=auto&limit=1000&sort=${by}&reverse=${reverse || 0}`);
      await until(async () => {
        const paths = await shown();
        assert.ok(paths.length);
        assert.deepEqual(paths, results.map(h => h.path).slice(0, paths.length));
        assert.deepEqual(await headings(page), []);
        assert.match(await page.textContent('#summary'), new RegExp(`^${results.length} pictures`));
        assert.equal(query(page).get('sort'), by);
      });
    }
    await page.reload();
    await settled(page);
    assert.equal(await page.inputValue('#sort'), 'size');
    await page.selectOption('#sort', 'score');
    await until(async () => assert.ok((await headings(page)).length));
    assert.equal(query(page).has('sort'), false);
    await page.fill('#text', '');
    await until(async () => assert.equal(await page.inputValue('#sort'), 'date'));
  });

  await test('the start page: folders and cameras as tiles with covers, recent searches', async () => {
    const page = await open(url), facets = await api(url + '/api/v1/facets?unique=1'), texts = selector => page.$$eval(selector, all => all.map(el => el.textContent));
    await settled(page);
    await page.locator('.tile').first().waitFor();
    assert.equal(await page.isVisible('#recent'), false);
    await page.click('#start-kinds button:has-text("Folders")');
    await until(async () => assert.deepEqual(await texts('.tile'), (await api(url + '/api/v1/albums')).albums.map(a => a.folder.split('/').pop() + a.count)));
    await accessible(page);
    await page.click('#start-kinds button:has-text("Cameras")');
    assert.deepEqual(await texts('.tile'), facets.cameras.map(f => f.name + f.count));
    await page.click(`.tile[title="${facets.cameras[0].name}"]`);
    await until(() => assert.equal(query(page).get('camera'), facets.cameras[0].name));
    await until(async () => assert.match(await page.textContent('#summary'), new RegExp(`^${facets.cameras[0].count} picture`)));
    assert.equal(await page.isVisible('#start'), false);
    await page.goBack();
    await until(async () => assert.equal(await page.isVisible('#start'), true));
    assert.equal(await page.getAttribute('#start-kinds button:has-text("Cameras")', 'aria-pressed'), 'true');   // as it was left
    await page.click('#start-kinds button:has-text("Folders")');
    await page.click('#start-all');
    assert.equal(await page.getAttribute('#start-all', 'aria-expanded'), 'true');
    await page.fill('#text', 'a horse - a river');
    await page.keyboard.press('Enter');
    await settled(page);
    await page.fill('#text', '');
    await page.keyboard.press('Enter');
    await until(async () => assert.deepEqual(await texts('#recent a'), ['a horse − a river']));
    await page.click('#recent a');
    await until(() => assert.equal(query(page).get('q'), 'a horse - a river'));
    await page.goBack();
    await page.reload();
    await until(async () => assert.deepEqual(await texts('#recent a'), ['a horse − a river']));
    await accessible(page);
    await page.click('#recent button');
    assert.equal(await page.isVisible('#recent'), false);
    assert.equal(await page.evaluate(() => localStorage.getItem('recent')), null);
  });

  await test('the start page: folders of the same name, and months, are told apart by the folders above', async () => {
    const page = await open(url + '/?format=none'), folders = ['/p/2024/06', '/p/2023/06', '/p/2024', '/p/Italy', '/p/2023/Anna', '/q/2023/Anna', '/p/2024/Anna', '/p/12'];
    await page.route('**/api/v1/albums', route => route.fulfill({ json: { state: 'done', albums: folders.map((folder, i) => ({ folder, count: i + 1, cover: null })) } }));
    await page.goto(url);
    await page.click('#start-kinds button:has-text("Folders")');
    await until(async () => assert.deepEqual(await page.$$eval('.tile span', all => all.map(el => el.textContent)),
      ['2024/06', '2023/06', '2024', 'Italy', 'p/2023/Anna', 'q/2023/Anna', '2024/Anna', 'p/12']));
    assert.equal(await page.getAttribute('.tile', 'href'), '?' + new URLSearchParams({ in: folders[0] }));
  });

  await test('the start page: everyday searches that have good answers, in the language of the page', async () => {
    const covers = (await api(url + '/api/v1/images?limit=3')).results, searches = ['dog', 'living room', 'snow'].map((name, i) => ({ name, q: 'a ' + name, count: 9 - i, more: i === 0, cover: covers[i] }));
    for (const [locale, button] of [['en-US', 'Ideas'], ['de-DE', 'Ideen']]) {
      const page = await open(url + '/?format=none', { locale }), words = JSON.parse(readFileSync(`${top}/web/strings/${locale.slice(0, 2)}.json`));
      let asked = 0;   // the gallery is too small for any; the first answer says that they are being made
      await page.route('**/api/v1/ready-searches', route => route.fulfill({ json: asked++ ? { state: 'done', searches } : { state: 'making', searches: [] } }));
      await page.goto(url);
      await settled(page);
      await page.click(`#start-kinds button:has-text("${button}")`);
      assert.match(await page.textContent('.tile small'), locale === 'en-US' ? /^9 or more$/ : /^9 oder mehr$/);
      assert.deepEqual(await page.$$eval('.tile span', all => all.map(el => el.textContent)), searches.map(s => words['ready_' + s.name.replaceAll(' ', '_')]));
      await page.click('.tile');
      await until(() => assert.equal(query(page).get('q'), searches[0].q));
      await settled(page);
    }
    const names = /\{ "([^"]+)", "[^"]+" \}/g, table = readFileSync(top + '/src/engine/ready_searches.c', 'utf8');
    for (const language of ['de', 'en', 'es', 'fr', 'ru', 'zh']) {   // each word that the server may name has a text
      const words = JSON.parse(readFileSync(`${top}/web/strings/${language}.json`));
      assert.deepEqual([...table.matchAll(names)].map(m => m[1]).filter(name => !words['ready_' + name.replaceAll(' ', '_')]), []);
    }
  });

  await test('nothing of the start page moves when its tiles come', async () => {
    for (const options of [{}, phone]) {
      const page = await open(url + '/?format=heic', options), gate = new Promise(resolve => { page.pass = resolve; });
      await page.evaluate(() => localStorage.setItem('recent', '["a horse"]'));
      await page.route('**/api/v1/facets?*', async route => { await gate; await route.continue(); });
      await page.goto(url);
      await settled(page);
      const top = () => page.$eval('#grid', el => el.getBoundingClientRect().top), before = await top();
      assert.equal(await page.locator('.tile').count(), 0);
      page.pass();
      await page.locator('.tile').first().waitFor();
      assert.equal(await top(), before);
    }
  });

  await test('the neighbours in time of a picture that was found', async () => {
    const page = await open(url + '/?q=a+horse&format=jpeg');
    await settled(page);
    await page.locator('.hit[data-index="0"] .open').click();
    const name = await page.textContent('#name');
    await page.click('#around');
    const { results } = await api(url + '/api/v1/images?sort=date&unique=1&limit=1000'), at = results.findIndex(h => h.name === name);
    await until(async () => assert.equal(await page.textContent('#position'), `${at + 1} of ${results.length}`));
    assert.equal(new URL(page.url()).search, '');
    await page.keyboard.press('ArrowRight');
    await until(async () => assert.equal(await page.textContent('#name'), results[at + 1].name));
    await page.keyboard.press('Escape');
    await page.goBack();
    await until(() => assert.equal(query(page).get('q'), 'a horse'));
  });

  for (const [what, options] of [['', {}], [', phone', phone]]) await test(`100,000 pictures: any place comes to rest with its pictures${what}`, async () => {
    const { page, asked } = await openMany(url, '/', options);
    assert.equal(await page.textContent('#summary'), '100,000 pictures');
    const { height } = await atRest(page);
    await page.keyboard.press('Control+End');   // from the empty search box, which has the focus
    await until(async () => assert.ok(await page.evaluate(() => scrollY + innerHeight >= document.documentElement.scrollHeight - 1)));
    const end = await atRest(page);
    assert.equal(end.height, height);
    assert.equal(await page.locator(`.hit[data-index="${COUNT - 1}"]`).count(), 1);
    assert.equal(await page.textContent('#end'), 'That is all.');
    for (const part of [0.5, 0.1, 0.9, 0.33]) {
      for (let step = 0; step < 20; step++) await page.evaluate(to => scrollTo(0, to), height * (part + step / 1000));   // the scroll bar dragged
      await atRest(page);
      assert.ok(await page.locator('.hit').count() < 600);
    }
    await page.keyboard.press('Control+Home');
    assert.equal((await atRest(page)).first, '0');
    assert.ok(asked.length < 120, `${asked.length} pages of the list were loaded`);
  });

  await test('100,000 pictures: the years beside the window lead to them', async () => {
    const { page } = await openMany(url), head = () => page.evaluate(() => {
      const below = document.querySelector('.top').getBoundingClientRect().bottom;
      return [...document.querySelectorAll('.divide')].find(li => li.getBoundingClientRect().top >= below - 2)?.textContent;
    });
    assert.equal(await page.getAttribute('#scrubber [aria-current]', 'data-year'), '2024');
    await page.click('#scrubber [data-year="2018"]');
    await until(async () => assert.equal(await head(), 'December 2018'));
    await atRest(page);
    assert.equal(await page.getAttribute('#scrubber [aria-current]', 'data-year'), '2018');
    await page.click('#show-filters');   // the rail begins below them
    const edges = () => page.evaluate(() => ['.top', '#scrubber', '#scrubber button'].map(one => document.querySelector(one).getBoundingClientRect()).map((r, i) => Math.round(i ? r.top : r.bottom)));
    await until(async () => { const [bottom, top, first] = await edges(); assert.ok(bottom > 150 && top === bottom + 24 && first >= top - 1, `${bottom} ${top} ${first}`); });
    assert.equal(await page.$eval('#scrubber', rail => Math.round(innerHeight - rail.getBoundingClientRect().bottom)), 16);
    await page.click('#show-filters');
    await until(async () => assert.ok((await edges())[1] < 100));
    await page.focus('#scrubber [data-year="2013"]');
    await page.keyboard.press('Enter');
    await until(async () => assert.equal(await head(), 'December 2013'));
    const rail = await page.locator('#scrubber').boundingBox();
    await page.mouse.move(rail.x + 4, rail.y + rail.height * 0.5);
    await page.mouse.down();
    await page.mouse.move(rail.x + 4, rail.y + rail.height * 0.75, { steps: 5 });
    const shown = await page.textContent('#scrubber-bubble');
    await page.mouse.up();
    assert.equal(await page.isVisible('#scrubber-bubble'), false);
    const at = () => page.$eval('#scrubber-here', el => el.getBoundingClientRect().top);
    await until(async () => assert.ok(Math.abs(await at() - rail.y - rail.height * 0.75) < 8, String(await at())));
    await page.mouse.move(rail.x + 4, rail.y + rail.height * 0.25);   // only looked at
    assert.match(await page.textContent('#scrubber-bubble'), / 20\d\d$/);
    assert.ok(Math.abs(await at() - rail.y - rail.height * 0.75) < 8);
    await page.mouse.move(400, 400);
    assert.equal(await page.isVisible('#scrubber-bubble'), false);
    await atRest(page);
    assert.match(shown, / 20\d\d$/);
    assert.ok((await page.getAttribute('#scrubber [aria-current]', 'data-year')) === shown.slice(-4));
  });

  await test('100,000 pictures: years of a few are on the rail, too; the newest and the oldest have their names, whatever the room', async () => {
    const counts = new Map(Array.from({ length: 29 }, (_, k) => [2026 - k, k === 0 ? 3 : k === 28 ? 1 : k % 3 ? 40 : 9000])), days = [];
    counts.set(2025, COUNT - [...counts].reduce((sum, [year, n]) => sum + (year === 2025 ? 0 : n), 0));
    for (const [year, count] of counts) days.push({ day: year + '-05-17', count, offset: days.reduce((sum, d) => sum + d.count, 0) });
    const all = [...counts.keys()].map(String);
    for (const [options, everyName] of [[{}, true], [phone, false]]) {
      const { page } = await openMany(url, '/', options, days), named = await page.$$eval('#scrubber button', buttons => buttons.map(b => [b.dataset.year, b.getBoundingClientRect().top]));
      if (everyName) assert.deepEqual(named.map(([year]) => year), all);
      assert.deepEqual([named[0][0], named.at(-1)[0]], ['2026', '1998']);
      named.forEach(([year, y], i) => assert.ok(i === 0 || y - named[i - 1][1] >= 22, `${year} has room`));
      assert.deepEqual(await page.$eval('#scrubber', rail => {   // the bubble, wherever the pointer is
        const { top, height } = rail.getBoundingClientRect(), reached = new Set();
        for (let y = 1; y < height; y += 4) {
          rail.dispatchEvent(new PointerEvent('pointermove', { pointerType: 'mouse', clientY: top + y }));
          reached.add(document.getElementById('scrubber-bubble').textContent.slice(-4));
        }
        return [...reached];
      }), all);
      for (const year of ['1998', '2026']) {
        await page.click(`#scrubber [data-year="${year}"]`);
        await until(async () => assert.equal(await page.getAttribute('#scrubber [aria-current]', 'data-year'), year));
      }
    }
  });

  await test('100,000 pictures: the viewer goes on past what is loaded, and a picture in another tab has its neighbours', async () => {
    const { page } = await openMany(url), position = told => until(async () => assert.equal(await page.textContent('#position'), told));
    await page.evaluate(() => scrollTo(0, document.querySelector('.hit[data-index="0"]').offsetHeight * 10));
    await page.locator('.hit[data-index="60"] .open').click();
    await position('61 of 100,000');
    for (let n = 62; n < 250; n++) {
      await page.keyboard.press('ArrowRight');
      await position(`${n} of 100,000`);
    }
    assert.equal(await page.textContent('#name'), '248.jpg');
    await page.keyboard.press('Escape');
    await until(async () => assert.equal(await page.evaluate(() => document.activeElement.closest('.hit')?.dataset.index), '248'));
    await page.route(`**/api/v1/images/${idOf(77777)}`, route => route.fulfill({ json: { id: idOf(77777), name: '77777.jpg', path: '/p/77777.jpg', folder: '/p', width: 4, height: 3, format: 'jpeg', size: 1,
      taken_at: new Date(Date.UTC(2024, 11, 31) - Math.floor(77777 / 20) * 864e5).toISOString() } }));
    await page.goto(url + '/docs');
    await page.locator('details').first().waitFor();
    await page.goto(`${url}/#picture=${idOf(77777)}`);
    await position('77,778 of 100,000');
    await page.keyboard.press('ArrowLeft');
    await position('77,777 of 100,000');
  });

  await server.stop();
}
