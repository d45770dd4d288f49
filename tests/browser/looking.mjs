// looking.mjs - results and the viewer: keyboard, phone, touch, languages, accessibility.

import { readFileSync, renameSync } from 'node:fs';
import { accessible, api, assert, firstName, names, open, openHit, phone, query, search, serve, settled, test, until } from './harness.mjs';

const castle = '/?q=a+castle+by+the+water';

// Touch events by the DevTools protocol: each step is a list of [x, y].
async function touch(page, ...steps) {
  const cdp = await page.context().newCDPSession(page), points = list => list.map(([x, y], id) => ({ x, y, id }));
  for (const [i, step] of steps.entries())
    await cdp.send('Input.dispatchTouchEvent', { type: i === 0 ? 'touchStart' : step.length ? 'touchMove' : 'touchEnd', touchPoints: points(step) });
}

const focused = page => page.evaluate(() => document.activeElement.closest('.hit')?.dataset.index ?? document.activeElement.id);

export async function looking({ root, store }) {
  const server = await serve(['--store', store, '--allow-index']), { url } = server;

  await test('keyboard: / j k arrows Enter Escape', async () => {
    const page = await open(url + castle + '&rest=yes'), press = key => page.keyboard.press(key);
    await settled(page);
    await page.locator('#text').blur();
    await press('j');
    assert.equal(await focused(page), '0');
    await press('j');
    await press('ArrowRight');
    assert.equal(await focused(page), '2');
    await press('k');
    assert.equal(await focused(page), '1');
    await press('ArrowDown');
    assert.ok(+await focused(page) > 2);
    await press('ArrowUp');
    assert.ok(+await focused(page) < 3);
    await until(async () => {
      await press('End');
      assert.equal(await page.textContent('#end'), 'That is all.');
      assert.equal(await focused(page), await page.$$eval('.hit', all => all.at(-1).dataset.index));
    });
    await press('Home');
    assert.equal(await focused(page), '0');
    await press('/');
    assert.equal(await focused(page), 'text');
    await press('ArrowDown');
    assert.equal(await focused(page), '0');
    await press('Enter');
    assert.equal(await page.isVisible('#viewer'), true);
    await press('j');
    await press('ArrowRight');
    assert.match(await page.textContent('#position'), /^3 of/);
    await press('k');
    assert.match(await page.textContent('#position'), /^2 of/);
    await press('Escape');
    await until(async () => assert.equal(await page.isVisible('#viewer'), false));
    await until(async () => assert.equal(await focused(page), '1'));
    await press('Enter');
    await page.locator('#viewer').waitFor();
    await press('/');
    await until(async () => assert.equal(await focused(page), 'text'));
  });

  await test('one picture of the grid is in the tab order', async () => {
    const page = await open(url + castle);
    await settled(page);
    assert.equal(await page.locator('.hit .open[tabindex="0"]').count(), 1);
    await page.focus('#sort');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), '0');
  });

  await test('viewer: the details of a picture, and filters made from them', async () => {
    const page = await open(`${url}/?in=${encodeURIComponent(root + '/trip')}&camera=Canon+EOS+5D`);
    await settled(page);
    await openHit(page);
    const told = await page.textContent('#meta');
    for (const word of ['exif.jpg', 'Canon EOS 5D', 'May 17, 2024', '-33.856', 'Pictures/trip', 'JPEG']) assert.ok(told.includes(word), `${word} in ${told}`);
    await page.click('#meta >> text=near here');
    await until(() => assert.match(query(page).get('near'), /^-33\.856/));
    await until(async () => assert.equal(await page.isVisible('#viewer'), false));
  });

  await test('viewer: zoom by button, wheel and key, moved within bounds', async () => {
    const page = await open(url + castle), width = async () => (await page.locator('#frame').boundingBox()).width;
    await settled(page);
    await openHit(page);
    const fitting = await width();
    await page.click('#zoom-in');
    assert.ok(Math.abs(await width() / fitting - 1.5) < 0.01);
    await page.keyboard.press('-');
    assert.ok(Math.abs(await width() / fitting - 1) < 0.01);
    await page.mouse.move(400, 400);
    for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -100);
    await until(async () => assert.ok(await width() / fitting > 2));
    await page.mouse.down();
    await page.mouse.move(3000, 3000);
    await page.mouse.up();
    const box = await page.locator('#frame').boundingBox();
    assert.ok(box.x <= 1 && box.y <= 1, 'the picture still covers the stage');
    await page.keyboard.press('0');
    assert.ok(Math.abs(await width() / fitting - 1) < 0.01);
  });

  await test('viewer: copy the path, download the file', async () => {
    const page = await open(url + castle, { permissions: ['clipboard-read', 'clipboard-write'] });
    await settled(page);
    await openHit(page);
    await page.click('#copy');
    const path = root + '/gallery/places/castle-by-the-water.jpg';
    await until(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), path));
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
    assert.equal(download.suggestedFilename(), 'castle-by-the-water.jpg');
    assert.deepEqual(readFileSync(await download.path()), readFileSync(path));
  });

  for (const name of ['rocky-mountains.heic', 'lzw.tif']) await test(`viewer: ${name}, which browsers cannot show, is shown as JPEG`, async () => {
    const page = await open(`${url}/?format=${name.endsWith('heic') ? 'heic' : 'tiff'}`);
    await settled(page);
    const at = (await names(page)).indexOf(name), view = page.waitForResponse(/\/view$/);
    await openHit(page, at);
    assert.equal((await view).headers()['content-type'], 'image/jpeg');
  });

  await test('viewer: Back closes it, a reload opens it again', async () => {
    const page = await open(url + castle);
    await settled(page);
    await openHit(page, 1);
    await page.reload();
    await until(async () => assert.match(await page.textContent('#position'), /^2 of/));
    await page.goBack();
    await until(async () => assert.equal(await page.isVisible('#viewer'), false));
    assert.equal(query(page).get('q'), 'a castle by the water');
  });

  await test('every picture has an address: shared, in another tab, Back, reload', async () => {
    const page = await open(url + castle);
    await settled(page);
    const id = (await api(url + '/api/v1/search?q=a+castle+by+the+water&fold=auto&limit=2')).results[1].id;
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.click('.hit[data-index="1"] .open', { modifiers: ['Control'] })]);
    await until(async () => assert.match(await tab.textContent('#position'), /^2 of/));
    await until(() => assert.ok(tab.url().endsWith(`${castle}#picture=${id}`), tab.url()));
    await tab.keyboard.press('Escape');
    await until(async () => assert.equal(await tab.isVisible('#viewer'), false));
    await until(() => assert.ok(tab.url().endsWith(castle), tab.url()));
    await tab.close();
    const [other] = await Promise.all([page.context().waitForEvent('page'), page.click('.hit[data-index="1"] .open', { button: 'middle' })]);
    await until(async () => assert.match(await other.textContent('#position'), /^2 of/));
    await other.close();
    await openHit(page, 0);
    await page.keyboard.press('ArrowRight');
    await until(() => assert.ok(page.url().endsWith('#picture=' + id)));
    await page.goBack();
    await until(async () => assert.equal(await page.isVisible('#viewer'), false));
    await until(() => assert.equal(new URL(page.url()).hash, ''));
    await page.goForward();
    await until(async () => assert.match(await page.textContent('#position'), /^2 of/));
    await page.reload();
    await until(async () => assert.match(await page.textContent('#position'), /^2 of/));
    await page.keyboard.press('Escape');
    await until(async () => assert.equal(await page.isVisible('#viewer'), false));
    await until(() => assert.equal(new URL(page.url()).hash, ''));   // closing goes back in the history, which takes a moment
    await page.locator('.hit[data-index="0"] .open').focus();
    await page.keyboard.press(' ');
    await until(async () => assert.match(await page.textContent('#position'), /^1 of/));
  });

  await test('the address of a picture that is not among the results shows it alone; of one that is not there, an error', async () => {
    const { id } = (await api(`${url}/api/v1/search?q=a+horse&limit=1`)).results[0];
    const page = await open(`${url}/?format=heic#picture=${id}`);
    await until(async () => assert.match(await page.textContent('#name'), /^horse\.jpg$/));
    assert.equal(await page.isVisible('#position'), false);
    assert.equal(await page.isDisabled('#next'), true);
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.textContent('#name'), 'horse.jpg');
    await page.keyboard.press('Escape');
    await until(async () => assert.equal(page.url(), url + '/?format=heic'));
    await page.goto(`${url}/?format=heic#picture=${'0'.repeat(32)}`);
    await page.reload();
    await until(async () => assert.match(await page.textContent('#notice'), /did not work/));
    assert.equal((await names(page)).length, 2);
  });

  await test('a picture dragged out of the window is the original file', async () => {
    const page = await open(url + '/?q=a+horse');
    await settled(page);
    const carried = await page.$eval('.hit[data-index="0"] .open', a => {
      const data = new DataTransfer();
      a.dispatchEvent(new DragEvent('dragstart', { dataTransfer: data, bubbles: true }));
      return Object.fromEntries([...data.types].map(t => [t.toLowerCase(), data.getData(t)]));
    });
    const file = carried['text/uri-list'];
    assert.equal(carried.downloadurl, 'application/octet-stream:horse.jpg:' + file);
    assert.deepEqual(Buffer.from(await (await fetch(file)).arrayBuffer()), readFileSync(root + '/gallery/animals/horse.jpg'));
    assert.equal(carried['text/plain'], root + '/gallery/animals/horse.jpg');
  });

  await test('viewer: a file that does not exist any more is reported', async () => {
    const page = await open(url + '/?q=a+horse'), path = root + '/gallery/animals/horse.jpg';
    await settled(page);
    renameSync(path, path + '.away');
    await page.locator('.hit[data-index="0"] .open').click();
    await page.locator('#view-problem').waitFor();
    renameSync(path + '.away', path);
    assert.match(await page.textContent('#view-problem'), /does not exist any more/);
  });

  await test('phone: nothing wider than 360 px, filters are a sheet', async () => {
    const page = await open(url + castle, phone);
    await settled(page);
    const wide = () => page.evaluate(() => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent).length);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    assert.equal(await wide(), 0);
    await page.tap('#show-filters');
    await page.locator('#filters-panel:modal').waitFor();
    const sheet = await page.locator('#filters-panel').boundingBox();
    assert.ok(sheet.height < 740 * 0.87 && Math.round(sheet.y + sheet.height) === 740);
    assert.equal(await wide(), 0);
    await until(async () => assert.ok(await page.locator('[name=format]').count() > 1));
    await page.tap('#formats label:has([value=heic])');
    await page.tap('#filters .done');
    await until(async () => assert.equal((await names(page)).length, 2));
    assert.equal(await page.isVisible('#filters-panel'), false);
    await page.tap('#show-more');
    await page.locator('#more-panel:modal').waitFor();
    assert.equal(await wide(), 0);
  });

  await test('phone: tap opens, swipe, pinch, pull down closes', async () => {
    const page = await open(url + castle, phone);
    await settled(page);
    await page.tap('.hit[data-index="0"] .open');
    await page.waitForFunction(() => document.getElementById('full').naturalWidth > 0);
    await touch(page, [[300, 300]], [[200, 305]], [[60, 310]], []);
    await until(async () => assert.match(await page.textContent('#position'), /^2 of/));
    await touch(page, [[60, 300]], [[200, 305]], [[300, 310]], []);
    await until(async () => assert.match(await page.textContent('#position'), /^1 of/));
    const width = async () => (await page.locator('#frame').boundingBox()).width, fitting = await width();
    await touch(page, [[160, 300], [200, 300]], [[120, 300], [240, 300]], [[80, 300], [280, 300]], []);
    await until(async () => assert.ok(await width() / fitting > 3));
    await page.tap('#show-info');
    assert.match(await page.textContent('#meta'), /castle-by-the-water/);
    await page.tap('#show-info');
    await touch(page, [[160, 300], [280, 300]], [[190, 300], [220, 300]], [[200, 300], [210, 300]], []);
    await until(async () => assert.ok(Math.abs(await width() / fitting - 1) < 0.01));
    await touch(page, [[180, 250]], [[180, 350]], [[182, 480]], []);
    await until(async () => assert.equal(await page.isVisible('#viewer'), false));
  });

  await test('phone: a rectangle drawn by touch', async () => {
    const page = await open(url + castle, phone);
    await settled(page);
    await page.tap('.hit[data-index="0"] .open');
    await page.tap('#by-region');
    const f = await page.locator('#frame').boundingBox();
    await touch(page, [[f.x + 20, f.y + 20]], [[f.x + 80, f.y + 80]], [[f.x + 200, f.y + 150]], []);
    await until(async () => assert.match(query(page).get('q'), /^@id:.*#\d+,\d+,\d+,\d+$/));
  });

  await test('Russian: by the browser\'s language, with its plurals, and chosen', async () => {
    const page = await open(url + '/?format=heic', { locale: 'ru-RU' });
    await settled(page);
    assert.equal(await page.getAttribute('html', 'lang'), 'ru');
    assert.equal(await page.textContent('#summary'), '2 снимка');
    await page.fill('#text', 'кошка');
    await page.click('#active-filters button');
    await until(async () => assert.match(await firstName(page), /cat|kitten/));
    await page.click('#show-more');
    await page.selectOption('#language', 'en');
    await until(async () => assert.equal(await page.getAttribute('#text', 'aria-label'), 'Describe the pictures you are looking for'));
    await page.reload();
    await settled(page);
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
  });

  await test('every language has every text', async () => {
    const load = async l => (await fetch(`${url}/assets/strings/${l}.json`)).json(), english = Object.keys(await load('en')).sort();
    const { languages } = await (await fetch(url + '/api/v1/status')).json();
    assert.ok(languages.includes('ru'));
    for (const language of languages) assert.deepEqual(Object.keys(await load(language)).filter(k => k !== 'direction').sort(), english);
  });

  for (const [name, options] of [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['phone', phone], ['phone, dark', { ...phone, colorScheme: 'dark' }]])
    await test(`axe finds nothing: ${name}`, async () => {
      const page = await open(url + castle + '+-+people&format=jpeg', options);
      await page.evaluate(() => localStorage.setItem('scores', 'yes'));
      await page.reload();
      await settled(page);
      await accessible(page);
      await page.click('#show-filters');
      await page.locator('#filters-panel').waitFor();
      await accessible(page);
      await page.click(options.isMobile ? '#filters .done' : '#show-filters');
      await page.click('#show-more');
      await accessible(page);
      await page.click('#open-index');
      await accessible(page);
      await page.click('#indexing .corner');
      assert.equal(await page.isVisible('#more-panel'), false);   // whose button led there
      await openHit(page);
      if (options.isMobile) await page.click('#show-info');
      await page.click('#by-region');
      await accessible(page);
    });

  await test('colours of the system: what is pressed or selected is told from what is not', async () => {
    const page = await open(url + castle, { forcedColors: 'active', colorScheme: 'dark' });
    await settled(page);
    await page.click('#select');
    await page.click('.hit[data-index="1"] .open');
    const ground = selector => page.$eval(selector, el => getComputedStyle(el).backgroundColor);
    assert.notEqual(await ground('#select'), await ground('#show-map'));
    assert.notEqual(await ground('.hit[data-index="1"] .pick'), await ground('.hit[data-index="0"] .pick'));
    assert.deepEqual(await page.$$eval('.pick', all => all.slice(0, 2).map(pick => getComputedStyle(pick).backgroundImage.slice(0, 4))), ['none', 'url(']);
    await accessible(page);
    await page.click('#select');
    await openHit(page);
    await page.click('#by-region');
    assert.notEqual(await ground('#by-region'), await ground('#similar'));
    await accessible(page);
  });

  await test('axe finds nothing: nothing found, and the API\'s page', async () => {
    const page = await open(url + '/?q=a+horse&line=0.99');
    await settled(page);
    await accessible(page);
    await page.goto(url + '/docs');
    await page.locator('details').first().waitFor();
    await accessible(page);
  });

  await server.stop();
}
