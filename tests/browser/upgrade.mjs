// upgrade.mjs - a collection that an earlier starter made: it is shown, and one click embeds it again.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { assert, names, open, scry, serve, settled, temporary, test, top, until } from './harness.mjs';

export async function upgrade() {
  await test('a collection of an earlier starter is shown, and one click embeds it again', async () => {
    const home = temporary + '/later', store = home + '/store', pictures = home + '/pictures';
    mkdirSync(pictures, { recursive: true });
    for (const name of ['cat.jpg', 'giraffe.jpg', 'goldfish.jpg']) copyFileSync(`${top}/demo/gallery/animals/${name}`, `${pictures}/${name}`);
    assert.equal(spawnSync('tar', ['-C', home, '-xJf', top + '/tests/e2e/stores/starter-0.1.0.tar.xz']).status, 0);
    // A model of the user's under the name of the starter stands for the next version.
    assert.equal(spawnSync('python3', [top + '/tests/e2e/tiny_model.py', home + '/scry/models/starter']).status, 0);
    scry(['root', 'move', '/srv/pictures', pictures, '--store', store]);
    const server = await serve(['--store', store, '--allow-index'], { env: { XDG_DATA_HOME: home } });
    const page = await open(server.url);
    await settled(page);
    assert.equal(await page.textContent('#summary'), '3 pictures');
    await page.goto(server.url + '/?q=a+cat');
    await until(async () => assert.match(await page.textContent('#notice'), /newer version.*3 pictures must be embedded again with scry index --rebuild: about 1 min/));
    await page.click('#notice button');
    await until(async () => assert.match(await page.textContent('#index-state'), /^Done: 3 new/));
    await page.click('#indexing .corner');
    await until(async () => assert.equal((await names(page)).length, 3));
    assert.equal(await page.isVisible('#notice'), false);
    await server.stop();
  });
}
