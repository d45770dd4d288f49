// large.mjs - 10,000 results: all can be reached, none moves, the number of elements stays small.

import { spawnSync } from 'node:child_process';
import { assert, open, phone, scry, serve, settled, temporary, test, top, traced, until } from './harness.mjs';
import { manyPictures } from './pictures.mjs';
import { forcedByScript, styled } from './trace.mjs';

const COUNT = 10000, LONG_MS = 900000, STEPS = 100, STEP_PX = 60, MOST_OF_A_TILE = 5, ROUND_ABOUT = 60;   // elements; requests for lists, and for tiles that were there before

const twice = all => all.filter((one, at) => all.indexOf(one) !== at);

// The position in the page of each hit that has an element.
const places = page => page.$$eval('.hit', all => Object.fromEntries(all.map(li => {
  const r = li.getBoundingClientRect();
  return [li.dataset.index, [r.left, r.top + scrollY, r.width, r.height].map(Math.round).join()];
})));

// What scrolling costs, in what does not depend on how fast this machine is.
export async function scrollingCosts(url) {
  await test('scrolling: no script makes the browser lay out at once, each tile is made once, only new elements are styled, what passes is asked for once', async () => {
    const page = await open(url), asked = [];
    await settled(page);
    await page.evaluate(() => {
      window.made = [];
      new MutationObserver(all => made.push(...all.flatMap(m => [...m.addedNodes]).filter(li => li.matches('.hit')).map(li => ({ index: li.dataset.index, blank: li.matches('.blank'), elements: li.querySelectorAll('*').length + 1 }))))
        .observe(document.getElementById('grid'), { childList: true });
    });
    page.on('request', r => asked.push(r.url().slice(url.length)));
    await page.mouse.move(600, 20);   // not on a tile, which would be styled as such
    const events = await traced(page, async () => {
      for (let i = 0; i < STEPS; i++) {
        await page.mouse.wheel(0, STEP_PX);
        await page.evaluate(() => new Promise(requestAnimationFrame));
      }
    });
    await settled(page);
    const made = await page.evaluate(() => window.made), tiles = made.map(m => m.index + (m.blank ? ' blank' : '')), elements = made.reduce((sum, m) => sum + m.elements, 0);
    assert.ok(made.length > STEPS * STEP_PX / 200 * 5, `${made.length} tiles were made`);
    assert.deepEqual(forcedByScript(events), []);
    assert.deepEqual(twice(tiles), [], 'made once');
    assert.ok(elements <= MOST_OF_A_TILE * made.length, `${elements} elements for ${made.length} tiles`);
    assert.ok(styled(events) < 3 * elements, `${styled(events)} elements were styled, ${elements} were made`);
    assert.deepEqual(twice(asked), [], 'asked for once');
    assert.ok(asked.length <= made.length + ROUND_ABOUT, `${asked.length} requests for ${made.length} tiles`);
  });
}

export async function large() {
  const model = temporary + '/tiny-model', store = temporary + '/large', env = { SCRY_MODEL: model };
  manyPictures(temporary + '/many', COUNT);
  spawnSync('python3', [top + '/tests/e2e/tiny_model.py', model], { stdio: 'inherit' });
  scry(['index', temporary + '/many', '--store', store], env);
  const server = await serve(['--store', store], { env }), { url } = server;

  for (const [what, address, options] of [['search', '/?q=red&fold=no&line=-1', {}], ['list', '/', {}], ['search on a phone', '/?q=red&fold=no&line=-1', phone]])
    await test(`${COUNT} results, ${what}: scrolled to the last, in place, few elements`, async () => {
      const page = await open(url + address, options);
      await settled(page);
      const seen = new Map();
      let most = 0, last = -1;
      await until(async () => {
        for (const [index, place] of Object.entries(await places(page))) {
          // The last rows may be laid out again when more pictures are loaded; rows well before them must not move.
          if (seen.has(index) && index < last - 40) assert.equal(place, seen.get(index), 'hit ' + index);
          seen.set(index, place);
        }
        most = Math.max(most, await page.locator('.hit').count());
        last = Math.max(...[...seen.keys()].map(Number));
        await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
        assert.equal(await page.textContent('#end'), 'That is all.');
        assert.equal(last, COUNT - 1);
      }, LONG_MS);
      assert.ok(most < 600, `${most} elements`);
      await page.waitForFunction(n => { const img = document.querySelector(`.hit[data-index="${n}"] img`); return img?.complete && img.naturalWidth > 0; }, COUNT - 1);
      await page.evaluate(() => scrollTo(0, 0));
      await until(async () => assert.ok(await page.locator('.hit[data-index="0"]').count()));
      const now = await places(page);
      for (const index of Object.keys(now)) if (seen.has(index)) assert.equal(now[index], seen.get(index), 'hit ' + index);
    });

  await scrollingCosts(url);
  await server.stop();
}
