// comparing.mjs - the duplicates: groups side by side, what is selected as a list and a script, series to keep.

import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { accessible, api, assert, open, phone, query, scry, serve, temporary, test, top, until } from './harness.mjs';

const ready = page => until(async () => assert.ok(await page.locator('.group').count()));
const chosen = page => page.$$eval('#duplicates [data-id].chosen strong', all => all.map(el => el.textContent));
const members = page => page.$$eval('.group', all => all.map(li => [...li.querySelectorAll('strong')].map(el => el.textContent)));

async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), path: await download.path() };
}

export async function comparing() {
  const root = temporary + '/doubles', store = temporary + '/doubles-store', file = name => `${top}/demo/gallery/animals/${name}`;
  mkdirSync(root, { recursive: true });
  for (const [from, to] of [['horse.jpg', 'horse.jpg'], ['horse.jpg', "b/it's a $HOME horse.jpg"], ['cat.jpg', 'cat.jpg'], ['cat.jpg', 'b/cat again.jpg'], ['crab.jpg', 'crab.jpg']]) cpSync(file(from), `${root}/${to}`);
  appendFileSync(root + '/b/cat again.jpg', 'a comment behind the picture');   // the same picture in other bytes
  scry(['index', root, '--store', store]);
  const server = await serve(['--store', store]), { url } = server;

  await test('duplicates: groups with the best copy first, its reasons, exact and near', async () => {
    const page = await open(url);
    await page.click('#show-more');
    await page.click('#open-duplicates');
    await ready(page);
    const { groups } = await api(url + '/api/v1/duplicates?similarity=0.95');
    assert.equal(groups.length, 2);
    assert.deepEqual(await members(page), groups.map(g => [g.keep.name, ...g.others.map(o => o.name)]));
    assert.match(await page.textContent('#summary'), /^2 groups, 2 files besides the best/);
    assert.match(await page.textContent('.group:has-text("cat again") [data-id]'), /cat again\.jpg.*451 × \d+ JPEG.*kB.*doubles\/b.*Best copy: less compressed/);
    assert.equal(await page.isVisible('#grid'), false);
    await accessible(page);
    await page.selectOption('#dup-kind', 'exact');
    await until(async () => assert.equal((await members(page)).length, 1));
    assert.match(await page.textContent('.group'), /the same bytes/);
    assert.equal(query(page).get('duplicates'), 'exact');
    await page.click('.group a >> nth=1');
    await page.locator('#viewer').waitFor();
    await page.keyboard.press('Escape');
    await until(() => assert.equal(new URL(page.url()).hash, ''));
    await page.reload();
    await until(async () => assert.equal((await members(page)).length, 1));
    await page.goBack();
    await until(async () => assert.equal((await members(page)).length, 2));
    await page.fill('#text', 'a crab');   // a search leaves them
    await until(async () => assert.equal(await page.isVisible('#duplicates'), false));
    await page.locator('.hit').first().waitFor();
    assert.equal(query(page).has('duplicates'), false);
    await page.goBack();
    await ready(page);
    await page.click('#dup-leave');
    await until(async () => assert.equal(await page.textContent('#summary'), '4 pictures'));
  });

  await test('duplicates: the rest selected; a list, and a script that keeps one of each group', async () => {
    const page = await open(url + '/?duplicates=0.95');
    await ready(page);
    await page.click('#dup-rest');
    const { groups } = await api(url + '/api/v1/duplicates?similarity=0.95'), rest = groups.flatMap(g => g.others);
    assert.deepEqual(await chosen(page), rest.map(hit => hit.name));
    await accessible(page);
    const list = await saved(page, '#dup-list');
    assert.equal(list.name, 'duplicates.txt');
    assert.deepEqual(readFileSync(list.path, 'utf8').trimEnd().split('\n').sort(), rest.map(hit => hit.path).sort());
    const cat = page.locator('.group:has-text("cat again")');
    await cat.locator('[data-id] > button').first().click();   // now both
    assert.equal(await cat.locator('.none-stays').isVisible(), true);
    const script = await saved(page, '#dup-script'), copy = temporary + '/doubles-copy';
    assert.equal(script.name, 'remove-duplicates.sh');
    const text = readFileSync(script.path, 'utf8').replaceAll(root, copy);
    cpSync(root, copy, { recursive: true });
    execFileSync('sh', ['-s'], { input: text });
    const horses = groups.find(g => g.keep.name.includes('horse')), place = hit => hit.path.replace(root, copy);
    assert.equal(existsSync(place(horses.keep)), true);
    assert.equal(existsSync(place(horses.others[0])), false);
    for (const name of ['/cat.jpg', '/b/cat again.jpg', '/crab.jpg']) assert.equal(existsSync(copy + name), true);   // a group of which none would stay is left alone
    cpSync(root, copy, { recursive: true });
    execFileSync('rm', [place(horses.keep)]);
    execFileSync('sh', ['-s'], { input: text });
    assert.equal(existsSync(place(horses.others[0])), true);   // the one to keep has gone
    await page.click('#dup-none');
    assert.deepEqual(await chosen(page), []);
    assert.equal(await page.isDisabled('#dup-script'), true);
    for (const hit of rest) assert.equal(existsSync(hit.path), true);
  });

  await test('duplicates: "keep all of these" is remembered, and taken back; on a phone', async () => {
    const page = await open(url + '/?duplicates=0.95', phone), cat = page.locator('.group:has-text("cat again")');
    await ready(page);
    await cat.locator('button:has-text("Keep all")').tap();
    await until(async () => assert.equal((await api(url + '/api/v1/duplicates?similarity=0.95')).total, 1));
    await page.locator('.group button:has-text("Undo")').tap();
    await until(async () => assert.equal((await api(url + '/api/v1/duplicates?similarity=0.95')).total, 2));
    await cat.locator('button:has-text("Keep all")').tap();
    await until(async () => assert.equal((await api(url + '/api/v1/duplicates?similarity=0.95')).total, 1));
    await page.reload();
    await ready(page);
    assert.equal((await members(page)).length, 1);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await accessible(page);
  });

  await server.stop();
}
