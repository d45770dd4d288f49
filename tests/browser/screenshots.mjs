// screenshots.mjs - docs/screenshots/*.webp, of the demo gallery; run by tools/screenshots.sh.

import { appendFileSync, cpSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { scry, serve, settled, temporary, top } from './harness.mjs';
import { place } from './places.mjs';

const { chromium } = createRequire(process.env.SCRY_NODE_MODULES + '/')('playwright-core');
const WEBP_QUALITY = 0.82, folder = top + '/docs/screenshots';
const wide = { viewport: { width: 1200, height: 760 } }, phone = { viewport: { width: 360, height: 720 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const shots = [
  ['timeline', '', wide, async page => {
    await page.locator('.tile img').first().waitFor();
    for (const n of [1, 2, 4]) await page.click(`.hit[data-index="${n}"] .pick`, { force: true });
  }],
  ['map', '', wide, async page => {
    await page.click('#show-map');
    await page.locator('#map-clusters img').first().waitFor();
  }],
  ['duplicates', '?duplicates=0.95', { ...wide, colorScheme: 'dark', store: 'doubles' }, async page => {
    await page.locator('.group').first().waitFor();
    await page.click('#dup-rest');
  }],
  ['phone-map', '?map=30,15,1.3', { ...phone, locale: 'de-DE' }, page => page.locator('#map-clusters img').first().waitFor()],
  ['light', '?q=a+castle+by+the+water', wide, async () => {}],
  ['dark', '?q=@id:CASTLE+-+0.5:a+river&format=jpeg', { ...wide, colorScheme: 'dark' }, page => page.click('#show-filters')],
  ['viewer', '?q=a+castle+by+the+water', wide, async page => {
    await page.click('.hit[data-index="0"] .open');
    await page.waitForFunction(() => document.getElementById('full').naturalWidth > 0);
    await page.click('#by-region');
    const f = await page.locator('#frame').boundingBox();
    await page.mouse.move(f.x + f.width * 0.25, f.y + f.height * 0.35);
    await page.mouse.down();
    await page.mouse.move(f.x + f.width * 0.62, f.y + f.height * 0.68);
  }],
  ['phone', '?q=%D0%B7%D0%B0%D0%BC%D0%BE%D0%BA+%D1%83+%D0%B2%D0%BE%D0%B4%D1%8B', { ...phone, locale: 'ru-RU' }, async () => {}],
  ['phone-dark', '?q=a+castle+by+the+water', { ...phone, colorScheme: 'dark' }, async page => {
    await page.tap('#show-filters');
    await page.locator('#formats label').first().waitFor();
  }],
];

// Chromium writes WebP from a canvas; its own screenshots are PNG.
async function webp(page, png) {
  const url = await page.evaluate(async ([source, quality]) => {
    const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + source)).blob());
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', quality);
  }, [png.toString('base64'), WEBP_QUALITY]);
  return Buffer.from(url.split(',')[1], 'base64');
}

cpSync(top + '/demo/gallery', temporary + '/gallery', { recursive: true });
for (const [i, name] of readdirSync(temporary + '/gallery', { recursive: true }).filter(n => n.includes('.')).sort().entries()) {   // dates for the timeline
  const day = new Date(Date.UTC(2025 - i % 7, (5 * (i % 7) + 11) % 12, 1 + i % 28));
  utimesSync(`${temporary}/gallery/${name}`, day, day);
}
place(temporary + '/gallery/places');
scry(['index', temporary + '/gallery', '--store', temporary + '/store']);
for (const name of ['cat', 'crab', 'horse']) {   // an exact copy of each, and one in other bytes
  for (const folder of ['2019', 'phone']) cpSync(`${temporary}/gallery/animals/${name}.jpg`, `${temporary}/doubles/${folder}/${name}.jpg`);
  cpSync(`${temporary}/gallery/animals/${name}.jpg`, `${temporary}/doubles/edited/${name}-2.jpg`);
  appendFileSync(`${temporary}/doubles/edited/${name}-2.jpg`, ' '.repeat(5000));
}
scry(['index', temporary + '/doubles', '--store', temporary + '/doubles-store']);
const server = await serve(['--store', temporary + '/store']), doubles = await serve(['--store', temporary + '/doubles-store']), browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
for (let i = 0; i < 5; i++) await fetch(server.url + '/api/v1/search?q=a+castle+by+the+water&fold=auto&limit=100');   // warm up the server
const castle = (await (await fetch(server.url + '/api/v1/search?q=a+castle+by+the+water&limit=1')).json()).results[0].id;
const canvas = await browser.newPage();
mkdirSync(folder, { recursive: true });
for (const [name, address, { store, ...options }, prepare] of shots) {
  const page = await browser.newPage({ locale: 'en-US', ...options });
  await page.goto(`${(store ? doubles : server).url}/${address.replace('CASTLE', castle)}`);
  if (!store) await settled(page);
  await page.locator('#text').blur();
  await prepare(page);
  await page.waitForFunction(() => [...document.images].every(i => !i.src || i.complete));
  writeFileSync(`${folder}/${name}.webp`, await webp(canvas, await page.screenshot()));
  await page.close();
}
await browser.close();
await server.stop();
await doubles.stop();
