// choosing.mjs - several pictures chosen, the slideshow, the list of keys, the page as an installed application.

import { cpSync, existsSync } from 'node:fs';
import { accessible, api, assert, names, open, openHit, phone, query, scry, search, serve, settled, temporary, test, top, until } from './harness.mjs';

const castle = '/?q=a+castle+by+the+water&rest=yes';
const tile = n => `.hit[data-index="${n}"] .open`;
const chosen = page => page.$$eval('.hit.chosen', all => all.map(li => +li.dataset.index));
const count = page => page.textContent('#chosen-count');

export async function choosing({ store }) {
  const server = await serve(['--store', store]), { url } = server;
  const { results } = await api(url + '/api/v1/search?q=a+castle+by+the+water&fold=auto&limit=20');

  await test('several pictures: chosen by button, Shift and in select mode; their paths copied', async () => {
    const page = await open(url + castle, { permissions: ['clipboard-read', 'clipboard-write'] });
    await settled(page);
    assert.equal(await page.isVisible('#selection'), false);
    await page.hover(tile(1));
    await page.click('.hit[data-index="1"] .pick');
    assert.equal(await count(page), '1 selected');
    await page.click(tile(4), { modifiers: ['Shift'] });
    await until(async () => assert.deepEqual(await chosen(page), [1, 2, 3, 4]));
    await page.click('#select');
    await page.click(tile(2));
    await page.click(tile(0), { modifiers: ['Control'] });
    assert.deepEqual(await chosen(page), [0, 1, 3, 4]);
    assert.equal(await page.isVisible('#viewer'), false);
    await page.click('#chosen-copy');
    await until(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), [1, 3, 4, 0].map(n => results[n].path).join('\n')));
    await page.click('#chosen-clear');
    assert.deepEqual(await chosen(page), []);
    assert.equal(await page.isVisible('#selection'), false);
    await page.click(tile(2));
    await page.locator('#viewer').waitFor();
  });

  await test('several pictures: by keyboard, kept over searches, searched by together', async () => {
    const page = await open(url + castle);
    await settled(page);
    await page.focus(tile(0));
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+ArrowRight');
    await until(async () => assert.deepEqual(await chosen(page), [0, 1]));
    await search(page, 'a horse');
    await page.focus(tile(0));
    await page.keyboard.press('x');
    assert.equal(await count(page), '3 selected');
    await page.click('#chosen-add');
    await until(() => assert.match(query(page).get('q'), /^a horse( \+ @id:[0-9a-f]{32}){3}$/));
    await page.click('#chosen-search');
    await until(() => assert.match(query(page).get('q'), /^@id:[0-9a-f]{32}( \+ @id:[0-9a-f]{32}){2}$/));
    const together = (await api(`${url}/api/v1/search?fold=auto&limit=1&q=${encodeURIComponent(query(page).get('q'))}`)).results[0];
    await until(async () => assert.equal((await names(page))[0], together.name));
    await page.focus(tile(0));
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#selection'), false);
  });

  await test('several pictures of the timeline, over what is not loaded', async () => {
    const page = await open(url), total = (await api(url + '/api/v1/timeline?unique=1')).total;
    await settled(page);
    assert.ok(total > 100);
    await page.hover(tile(0));
    await page.click('.hit[data-index="0"] .pick');
    await page.keyboard.press('End');
    await page.locator(tile(total - 1)).click({ modifiers: ['Shift'] });
    await until(async () => assert.equal(await count(page), `${total} selected`));
    assert.equal(await page.isDisabled('#chosen-search'), true);   // more than a query has parts
  });

  await test('several pictures: by dragging over them, and a rectangle', async () => {
    const page = await open(url + '/?sort=name'), middle = async n => { const r = await page.locator(tile(n)).boundingBox(); return [r.x + r.width / 2, r.y + r.height / 2]; };
    await settled(page);
    const drag = async (from, to) => {
      await page.mouse.move(...from);
      await page.mouse.down();
      await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 3 });
      await page.mouse.move(...to, { steps: 3 });
      await page.mouse.up();
    };
    await page.click('#select');
    await drag(await middle(1), await middle(4));
    await until(async () => assert.deepEqual(await chosen(page), [1, 2, 3, 4]));
    assert.equal(await page.isVisible('#viewer'), false);
    await drag(await middle(4), await middle(3));   // from a chosen one: out of the choice
    await until(async () => assert.deepEqual(await chosen(page), [1, 2]));
    await page.click(tile(2));
    await until(async () => assert.deepEqual(await chosen(page), [1]));
    await page.click('#chosen-clear');
    const grid = await page.locator('#grid').boundingBox(), [x, y] = await middle(1);
    await drag([grid.x + 300, grid.y - 8], [x - 10, y]);   // from the edge above the pictures over the second and what is left of the start
    await until(async () => assert.deepEqual(await chosen(page), [1]));
    await page.click('#chosen-clear');
    await page.click(tile(0));
    await page.locator('#viewer').waitFor();   // a click still opens
  });

  await test('several pictures by touch: a long press, then over others; a short touch opens', async () => {
    const page = await open(url + '/?sort=name', phone), cdp = await page.context().newCDPSession(page);
    await settled(page);
    const middle = async n => { const r = await page.locator(tile(n)).boundingBox(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; };
    const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points });
    const from = await middle(0), to = await middle(4), y = await page.evaluate(() => scrollY);
    await touch('touchStart', from);
    await until(async () => assert.deepEqual(await chosen(page), [0]));
    await touch('touchMove', { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });
    await touch('touchMove', to);
    await until(async () => assert.deepEqual(await chosen(page), [0, 1, 2, 3, 4]));
    await touch('touchEnd');
    assert.equal(await page.evaluate(() => scrollY), y);
    assert.equal(await page.isVisible('#viewer'), false);
    await page.tap(tile(1));   // in select mode
    await until(async () => assert.deepEqual(await chosen(page), [0, 2, 3, 4]));
    await accessible(page);
    await page.tap('#chosen-clear');
    await page.tap(tile(1));
    await page.locator('#viewer').waitFor();
  });

  await test('several pictures removed from the index, where that is allowed', async () => {
    const none = await open(url + castle);
    await settled(none);
    await none.hover(tile(0));
    await none.click('.hit[data-index="0"] .pick');
    assert.equal(await none.isVisible('#chosen-remove'), false);
    const root = temporary + '/removed', some = temporary + '/removed-store';
    for (const name of ['horse.jpg', 'cat.jpg', 'squirrel.jpg']) cpSync(`${top}/demo/gallery/animals/${name}`, `${root}/${name}`);
    scry(['index', root, '--store', some]);
    const other = await serve(['--store', some, '--allow-remove']), page = await open(other.url + '/?sort=name');
    await settled(page);
    for (const n of [0, 2]) await page.click(`.hit[data-index="${n}"] .pick`, { force: true });
    await page.click('#chosen-remove');
    assert.match(await page.textContent('#confirm-title'), /^Remove 2 pictures/);
    await accessible(page);
    await page.keyboard.press('Escape');
    assert.equal((await api(other.url + '/api/v1/images')).results.length, 3);
    await page.click('#chosen-remove');
    await page.click('#confirm-yes');
    await until(async () => assert.deepEqual(await names(page), ['horse.jpg']));
    assert.equal(await page.isVisible('#confirm'), false);
    assert.equal(await page.isVisible('#selection'), false);
    assert.deepEqual((await api(other.url + '/api/v1/images')).results.map(h => h.name), ['horse.jpg']);
    assert.equal(existsSync(root + '/cat.jpg'), true);
    await other.stop();
  });

  await test('the keys are listed, on the page and over the viewer', async () => {
    const page = await open(url + castle);
    await settled(page);
    await page.locator('#text').blur();
    await page.keyboard.press('?');
    assert.match(await page.textContent('#help'), /Keyboard shortcuts.*Slideshow/s);
    await accessible(page);
    await page.keyboard.press('Escape');
    await openHit(page);
    await page.keyboard.press('?');
    assert.equal(await page.isVisible('#help'), true);
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#help'), false);
    assert.equal(await page.isVisible('#viewer'), true);
  });

  await test('viewer: the next picture is loaded before it is wanted; the slideshow ends at the last', async () => {
    const page = await open(url + '/?format=heic'), total = (await names(page), await settled(page), await names(page)).length;
    assert.equal(total, 2);
    const asked = [];
    page.on('request', r => { if (/\/view$/.test(r.url())) asked.push(r.url()); });
    await openHit(page);
    await until(() => assert.equal(new Set(asked).size, 2));
    await page.keyboard.press('s');
    assert.equal(await page.isVisible('#viewer aside'), false);
    await page.keyboard.press('Escape');   // ends the show, not the viewer
    assert.deepEqual([await page.getAttribute('#slides', 'aria-pressed'), await page.isVisible('#viewer aside')], ['false', true]);
    await page.keyboard.press('s');
    await until(async () => assert.equal(await page.textContent('#position'), '2 of 2'));
    await until(async () => assert.equal(await page.getAttribute('#slides', 'aria-pressed'), 'false'));
    assert.equal(await page.isVisible('#viewer aside'), true);
  });

  await test('the page is one script and one style, and what it shows first is asked for once', async () => {
    for (const [address, asked] of [['/', ['/api/v1/images', '/api/v1/status', '/api/v1/timeline', '/assets/app.css', '/assets/app.js', '/assets/strings/de.json', '/assets/strings/en.json']],
      ['/?q=castle', ['/api/v1/search', '/api/v1/status', '/assets/app.css', '/assets/app.js', '/assets/strings/de.json', '/assets/strings/en.json']]]) {
      const page = await open(url + address, { locale: 'de-DE' });
      await until(async () => assert.ok(await page.$eval('.hit img', img => img.naturalWidth > 0)));
      const paths = await page.evaluate(() => performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname));
      const first = paths.slice(0, paths.findIndex(path => path.endsWith('/thumbnail'))).filter(path => /^.(api|assets)/.test(path) && !/icon|manifest/.test(path));
      assert.deepEqual(first.sort(), asked, address);
    }
    const links = async address => (await fetch(url + address)).headers.get('link');
    assert.match(await links('/'), /^<api\/v1\/images\?[^>]*>; rel=preload; as=fetch; crossorigin, <api\/v1\/timeline\?[^>]*>/);
    assert.equal(await links('/?q=castle'), null);
  });

  await test('the page can be installed: a manifest with icons', async () => {
    const page = await open(url), cdp = await page.context().newCDPSession(page);
    const { errors, data } = await cdp.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    for (const { src, sizes, type } of JSON.parse(data).icons) {
      const response = await fetch(`${url}/assets/${src}`), bytes = Buffer.from(await response.arrayBuffer());
      assert.equal(response.headers.get('content-type'), type);
      if (type === 'image/png') assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes);
    }
  });

  for (const [locale, words] of [['de-DE', /Bilder$/], ['es-ES', /imágenes$/], ['fr-FR', /images$/], ['zh-CN', /张图片$/]]) await test(`the page in ${locale}`, async () => {
    const page = await open(url, { ...phone, locale });
    await settled(page);
    assert.equal(await page.getAttribute('html', 'lang'), locale.slice(0, 2));
    assert.match(await page.textContent('#summary'), words);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await page.tap('#select');
    await page.tap(tile(0));
    assert.ok((await page.locator('#selection').boundingBox()).width <= 360);
    await accessible(page);
  });

  await server.stop();
}
