// marking.mjs - favourites, saved searches, several pictures as a ZIP archive.

import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { accessible, api, assert, open, openHit, phone, query, scry, search, serve, settled, temporary, test, top, until } from './harness.mjs';

const tile = n => `.hit[data-index="${n}"]`;
const texts = (page, selector) => page.$$eval(selector, all => all.map(el => el.textContent));

export async function marking() {
  const root = temporary + '/marked', store = temporary + '/marked-store';
  for (const kind of ['animals', 'places']) cpSync(`${top}/demo/gallery/${kind}`, `${root}/${kind}`, { recursive: true });
  scry(['index', root, '--store', store]);
  const server = await serve(['--store', store]), { url } = server;
  const favourites = async () => (await api(url + '/api/v1/images?favourites=1&limit=100')).results.map(h => h.name).sort();

  await test('favourites: marked in the viewer and for several, shown, a filter, unmarked', async () => {
    const page = await open(url + '/?q=a+horse');
    await settled(page);
    await openHit(page);
    assert.equal(await page.getAttribute('#favourite', 'aria-pressed'), 'false');
    await page.keyboard.press('f');
    await until(async () => assert.equal(await page.getAttribute('#favourite', 'aria-pressed'), 'true'));
    assert.deepEqual(await favourites(), ['horse.jpg']);
    await accessible(page);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator(tile(0) + ' .heart').count(), 1);
    assert.match(await page.getAttribute(tile(0) + ' .open', 'aria-label'), /Favourite/);
    await search(page, 'a castle by the water');
    for (const n of [0, 1]) await page.click(tile(n) + ' .pick', { force: true });
    await page.click('#chosen-favourite');
    await until(async () => assert.equal(await page.getAttribute('#chosen-favourite', 'aria-pressed'), 'true'));
    assert.equal((await favourites()).length, 3);
    await page.click('#chosen-clear');
    await page.click('.brand');
    await page.click('#start-kinds button:has-text("Saved")');
    await until(async () => assert.deepEqual(await texts(page, '.tile'), ['Favourites3']));
    await page.click('.tile');
    await until(async () => assert.equal(await page.textContent('#summary'), '3 pictures'));
    assert.equal(query(page).get('favourites'), '1');
    assert.deepEqual(await texts(page, '#active-filters li'), ['Favourites']);
    await page.locator('#text').blur();
    for (let n = 0; n < 3; n++) await page.click(tile(n) + ' .pick', { force: true });
    await page.click('#chosen-favourite');   // all are: takes the marks
    await until(async () => assert.deepEqual(await favourites(), []));
  });

  await test('saved searches: saved with query and filters, opened, replaced, removed', async () => {
    const page = await open(`${url}/?q=a+building+-+0.5:a+river&in=${encodeURIComponent(root + '/places')}&after=2001-02-03&until=2300-04-05&min_width=100`);
    await settled(page);
    await page.click('#save-search');
    await page.fill('#save-name', 'Buildings');
    await accessible(page);
    await page.keyboard.press('Enter');
    await until(async () => assert.equal(await page.textContent('#save-search'), 'Saved'));
    assert.deepEqual((await api(url + '/api/v1/searches')).searches.map(({ name, search: kept }) => ({ name, search: kept })), [{ name: 'Buildings',
      search: { q: 'a building - 0.5:a river', filter: { in: [root + '/places'], after: ['2001-02-03'], until: ['2300-04-05'], min_width: 100 } } }]);
    const address = query(page), wanted = [...address].sort().join('&');
    await page.click('.brand');
    await page.click('#start-kinds button:has-text("Saved")');
    await page.locator('.tile img').first().waitFor();   // the first picture that it finds
    const first = (await api(`${url}/api/v1/search`, { method: 'POST', body: JSON.stringify({ ...(await api(url + '/api/v1/searches')).searches[0].search, limit: 1 }), headers: { 'Content-Type': 'application/json' } })).results[0];
    await until(async () => assert.ok((await page.getAttribute('.tile img', 'src')).includes(first.id)));
    await page.click('.tile');
    await until(() => assert.equal([...query(page)].sort().join('&'), wanted));
    scry(['saved', 'add', 'Old ones', '--store', store, '--before', 'last year']);
    await page.goto(url);
    await settled(page);
    await page.click('.tile[title="Old ones"]');
    await until(() => assert.equal(query(page).get('date'), 'before last year'));
    await until(async () => assert.match(await page.textContent('#notice'), /No picture passes/));   // they are all of today
    await page.click('.brand');
    await page.click('#start-kinds button:has-text("Saved")');
    await page.hover('.tile[title="Buildings"]');
    await page.click('.forget >> nth=0');
    assert.match(await page.textContent('#confirm-title'), /“Buildings”/);
    await accessible(page);
    await page.click('#confirm-yes');
    await until(async () => assert.deepEqual(await texts(page, '.tile'), ['Old ones']));
    assert.equal((await api(url + '/api/v1/searches')).searches.length, 1);
  });

  await test('several pictures as a ZIP archive; the bar of a phone holds all of it', async () => {
    for (const options of [{}, phone]) {
      const page = await open(url + '/?q=a+horse&rest=yes', options);
      await settled(page);
      await page.click('#select');
      for (const n of [0, 2]) await page.click(tile(n) + ' .open');
      assert.ok((await page.locator('#selection').boundingBox()).width <= page.viewportSize().width);
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('#chosen-zip')]);
      assert.match(download.suggestedFilename(), /^pictures-\d{4}-\d\d-\d\d\.zip$/);
      const listed = spawnSync('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print("\\n".join(sorted(z.namelist())))', await download.path()], { encoding: 'utf8' });
      const shown = await page.$$eval('.hit.chosen .open', all => all.map(a => a.title.split('/').pop()).sort());
      assert.deepEqual(listed.stdout.trim().split('\n'), shown);
      assert.equal(await page.isVisible('#selection'), true);
    }
  });

  await server.stop();
}
