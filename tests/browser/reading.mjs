// reading.mjs - words in pictures: found, shown beside the picture, marked in it, copied.

import { cpSync, mkdirSync } from 'node:fs';
import { accessible, api, assert, firstName, open, openHit, phone, scry, serve, settled, temporary, test, top, until } from './harness.mjs';

const lines = page => page.textContent('#words-text');
const marks = page => page.locator('#marks polygon').count();

export async function reading() {
  const folder = temporary + '/words', store = temporary + '/words-store';
  mkdirSync(folder);
  for (const name of ['receipt.png', 'sign.png', 'wifi.jpg', 'nothing.png']) cpSync(`${top}/tests/e2e/words/${name}`, `${folder}/${name}`);
  scry(['index', folder, '--store', store, '--words', 'yes']);
  const server = await serve(['--store', store]), { url } = server;
  const hits = (await api(`${url}/api/v1/search?q=passwort&by=words`)).results;
  assert.equal(hits.length, 1);
  const { text, lines: read } = await api(`${url}/api/v1/images/${hits[0].id}/text?q=passwort`);
  const wanted = read.filter(l => l.matches);
  assert.equal(wanted.length, 1);

  await test('words in a picture: the line that matches is marked in it, the text is beside it', async () => {
    const page = await open(`${url}/?q=passwort`);
    await settled(page);
    assert.equal(await firstName(page), 'wifi.jpg');
    await openHit(page);
    await until(async () => assert.equal(await lines(page), text));
    assert.equal(await page.isVisible('#picture-words'), true);
    assert.equal(await marks(page), 1);
    const frame = await page.locator('#frame').boundingBox(), mark = await page.locator('#marks polygon').boundingBox();
    const xs = wanted[0].corners.map(c => c[0]), ys = wanted[0].corners.map(c => c[1]);
    const near = (value, share, from, size) => assert.ok(Math.abs(value - (from + share * size)) < 8, `${value} is at ${share} of ${from} + ${size}`);
    near(mark.x, Math.min(...xs), frame.x, frame.width);
    near(mark.x + mark.width, Math.max(...xs), frame.x, frame.width);
    near(mark.y, Math.min(...ys), frame.y, frame.height);
    near(mark.y + mark.height, Math.max(...ys), frame.y, frame.height);
    await accessible(page);
  });

  await test('words in a picture are copied', async () => {
    const page = await open(`${url}/?q=passwort`, { permissions: ['clipboard-read', 'clipboard-write'] });
    await settled(page);
    await openHit(page);
    await page.locator('#picture-words').waitFor();
    await page.click('#copy-words');
    await until(async () => assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text));
  });

  await test('words in a picture: the next one has others, one without text has none', async () => {
    const page = await open(`${url}/?sort=name`), all = (await api(`${url}/api/v1/images?sort=name`)).results;
    await settled(page);
    await openHit(page);
    for (const [n, { id, name }] of all.entries()) {
      await until(async () => assert.equal(await page.textContent('#name'), name));
      const expected = (await api(`${url}/api/v1/images/${id}/text`)).text;
      await until(async () => assert.equal(await page.isVisible('#picture-words'), expected !== ''));
      if (expected) await until(async () => assert.equal(await lines(page), expected));
      assert.equal(await marks(page), 0);
      if (n < all.length - 1) await page.click('#next');
    }
  });

  await test('words in a picture on a phone, without a query', async () => {
    const page = await open(`${url}/?sort=name`, phone);
    await settled(page);
    await page.locator('.hit .open[title$="receipt.png"]').click();
    await page.click('#show-info');
    await page.locator('#picture-words').waitFor();
    assert.match(await lines(page), /PHARMACY/);
    assert.equal(await marks(page), 0);
  });

  await server.stop();
}
