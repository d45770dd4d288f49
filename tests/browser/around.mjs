// around.mjs - an empty collection, indexing, login, a server that stops and restarts.

import { cpSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { accessible, api, assert, firstName, names, open, openHit, query, scry, search, serve, settled, temporary, test, top, until, write } from './harness.mjs';

export async function around({ store }) {
  await test('empty collection: instructions, and a form to index where the server allows it', async () => {
    await (await serve(['--store', temporary + '/empty', '--allow-index'])).stop();   // creates the store
    const server = await serve(['--store', temporary + '/empty']);
    const page = await open(server.url);
    await settled(page);
    assert.match(await page.textContent('#notice'), /scry index ~\/Pictures/);
    assert.equal(await page.locator('#notice button').count(), 0);
    await page.click('#show-more');
    assert.equal(await page.isVisible('#open-index'), false);
    await server.stop();
  });

  await test('a disk that is not there: its pictures are marked, with the thumbnails that were made before', async () => {
    const disk = temporary + '/disk', away = temporary + '/disk-away';
    cpSync(top + '/demo/gallery/animals', disk, { recursive: true });
    cpSync(disk + '/cat.jpg', disk + '/the-cat-again.jpg');
    scry(['index', disk, '--store', temporary + '/disk-store']);
    const server = await serve(['--store', temporary + '/disk-store'], { env: { XDG_CACHE_HOME: temporary + '/disk-cache' } });   // without other tests' thumbnails
    const { results } = await api(server.url + '/api/v1/images?unique=1');
    const tagged = async (hit, size) => (await fetch(`${server.url}/api/v1/images/${hit.id}/thumbnail?size=${size}`)).headers.get('etag');
    for (const size of [320, 640]) await until(async () => assert.ok(await tagged(results[0], size)));   // not while the file may be written
    renameSync(disk, away);
    mkdirSync(disk);
    await until(async () => assert.ok((await api(server.url + '/api/v1/images')).results.every(hit => hit.away)));
    const page = await open(server.url);
    await settled(page);
    await until(async () => assert.equal(await page.locator('.hit .away').count(), results.length));
    await until(async () => assert.equal(await page.locator('.hit.gone').count(), results.length - 1));   // only one was seen before
    assert.match(await page.getAttribute('.hit.gone .open', 'aria-label'), /its disk is not there/);
    await accessible(page);
    await page.click('.hit:not(.gone) .open');
    await until(async () => assert.match(await page.textContent('#view-problem'), /disk of this picture is not there: this is a small copy/));
    assert.ok(await page.$eval('#preview', img => img.naturalWidth > 0));
    assert.match(await page.textContent('#meta'), /its disk is not there/);
    await page.keyboard.press('Escape');
    await page.locator('.hit.gone .open').first().click();   // one that was never seen
    await until(async () => assert.match(await page.textContent('#view-problem'), /cannot be shown: .*disk/));
    assert.deepEqual([await page.isVisible('#full'), await page.isVisible('#preview')], [false, false]);   // no frames of broken pictures
    await page.goto(server.url + '/?duplicates=exact');
    await page.locator('.group').waitFor();
    assert.equal((await page.textContent('.group')).split('its disk is not there').length - 1, 2);
    await page.goBack();
    rmdirSync(disk);
    renameSync(away, disk);
    await until(async () => assert.ok(!(await api(server.url + '/api/v1/images')).results.some(hit => hit.away)));
    await page.reload();
    await until(async () => assert.ok(await page.$eval('#full', img => img.naturalWidth > 0)));
    await server.stop();
  });

  await test('indexing from the page: progress, skipped files with reasons, then results', async () => {
    const home = temporary + '/owner', folder = temporary + '/more';
    for (const name of ['cats', 'dogs/old']) mkdirSync(`${home}/Pictures/${name}`, { recursive: true });
    const server = await serve(['--store', temporary + '/new', '--allow-index'], { env: { HOME: home } });
    cpSync(top + '/demo/gallery/animals', folder, { recursive: true });
    write(folder + '/broken.jpg', Buffer.from('\xff\xd8\xff\xe0 this is no picture', 'latin1'));
    const page = await open(server.url);
    await settled(page);
    for (const id of ['#summary', '#select', '#show-map', '#sort', '#run']) assert.equal(await page.isVisible(id), false, id);   // there is nothing to do that with
    await page.click('#notice button');
    await until(async () => assert.equal(await page.inputValue('[name=path]'), home + '/Pictures/'));   // proposed
    assert.equal(await page.isVisible('[name=prune]'), false);
    const offered = () => page.$$eval('#folders button', all => all.map(b => b.textContent));
    await until(async () => assert.deepEqual(await offered(), [`↑ ${home}/`, 'cats', 'dogs']));
    await page.click('#folders button:text-is("dogs")');   // down, and up again
    await until(async () => assert.deepEqual(await offered(), [`↑ ${home}/Pictures/`, 'old']));
    assert.equal(await page.inputValue('[name=path]'), home + '/Pictures/dogs/');
    await page.keyboard.press('Enter');
    await until(async () => assert.deepEqual(await offered(), [`↑ ${home}/`, 'cats', 'dogs']));
    await accessible(page);
    await page.fill('[name=path]', '');
    await page.locator('[name=path]').pressSequentially(temporary + '/MO');   // folders are offered while one types
    await until(async () => assert.deepEqual(await offered(), [`↑ ${temporary}/`, 'more']));
    await page.fill('[name=path]', '~/Pictures/d');   // a path as people write it, and as a file manager copies it
    await until(async () => assert.deepEqual(await offered(), ['↑ ~/Pictures/', 'dogs']));
    await page.fill('[name=path]', `file://${home}/Pictures/dogs%2Fo`);
    await until(async () => assert.deepEqual(await offered(), [`↑ ${home}/Pictures/dogs/`, 'old']));
    await page.fill('[name=path]', `"${home}/Pictures/ca"`);
    await until(async () => assert.deepEqual(await offered(), [`↑ ${home}/Pictures/`, 'cats']));
    await page.fill('[name=path]', 'cats');
    await page.click('#index-form .main');
    await until(async () => assert.match(await page.textContent('#index-state'), /^Type the whole path of the folder, from the first \//));
    await until(async () => assert.deepEqual(await offered(), []));
    await page.fill('[name=path]', folder + '/');
    await page.keyboard.press('Escape');
    await page.reload();
    await settled(page);
    await page.click('#notice button');
    assert.equal(await page.inputValue('[name=path]'), folder + '/');
    await page.evaluate(() => {
      window.told = [];
      new MutationObserver(() => window.told.push(document.getElementById('index-state').textContent))
        .observe(document.getElementById('index-state'), { childList: true, characterData: true, subtree: true });
    });
    let go, held = true;
    await page.route('**/api/v1/index', async route => { if (route.request().method() === 'POST' && held) await new Promise(resolve => { go = resolve; }); await route.continue(); });
    await page.click('#index-form .main');
    await until(async () => assert.ok(go));
    assert.equal(await page.isDisabled('#index-form .main'), true);
    held = false;
    go();
    await until(async () => assert.match(await page.textContent('#index-state'), /^Done: 32 new, 0 updated, 0 unchanged, 1 skipped/));
    assert.ok((await page.evaluate(() => window.told)).some(t => / of \d+\+? pictures, \d+ new/.test(t)), 'progress was shown');
    assert.match(await page.textContent('#index-skip-count'), /^1 file was skipped/);
    await page.click('#index-skip-count');
    assert.match(await page.textContent('#index-skipped'), /broken\.jpg: the file is (damaged|cut off) \((damaged|truncated) JPEG/);
    await page.click('#view-indexed');
    assert.equal(await page.isVisible('#indexing'), false);
    await until(async () => assert.equal(await page.textContent('#summary'), '32 pictures'));
    assert.equal(await page.isVisible('#select'), true);
    await page.click('#show-more');
    await page.click('#open-index');
    assert.equal(await page.isVisible('#more-panel'), false);
    assert.equal(await page.isVisible('[name=prune]'), true);
    await page.fill('[name=path]', '/nowhere/at/all');
    await page.click('#index-form .main');
    await until(async () => assert.match(await page.textContent('#index-skipped'), /\/nowhere\/at\/all: it does not exist$/));
    assert.equal(await page.isVisible('#index-skipped'), true);   // why there was nothing, without a click
    const german = await open(server.url, { locale: 'de' });   // another visit: what was skipped before
    await settled(german);
    await german.click('#show-more');
    await german.click('#open-index');
    await until(async () => assert.match(await german.textContent('#index-skipped'), /broken\.jpg: die Datei ist (beschädigt|abgeschnitten) \(/));
    await german.click('#indexing .corner');
    await german.setInputFiles('#file', { name: 'none.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') });
    await until(async () => assert.match(await german.textContent('#notice'), /none\.jpg: die Datei ist kein Bild/));
    await server.stop();
  });

  // The run is one of the test's: its events are sent when the test wants them to be.
  await test('a run that goes on is shown beside the pictures, with the time that is left; what it adds comes to an empty page by itself', async () => {
    const server = await serve(['--store', temporary + '/growing', '--allow-index']), folder = temporary + '/growing-pictures';
    const run = { job: 7, state: 'running', error: null, found: 40, added: 0, updated: 0, unchanged: 0, skipped: 0, embedded: 0, expected: 300, walking: true, elapsed_ms: 100 };
    const event = (name, now) => `event: ${name}\ndata: ${JSON.stringify({ ...run, ...now })}\n\n`;
    let sent = event('progress', {}), going = true;
    const page = await open(server.url, { locale: 'de' });
    await page.route('**/api/v1/index', route => route.fulfill({ json: { jobs: [{ ...run, state: going ? 'running' : 'done' }] } }));
    await page.route('**/api/v1/index/7/events', route => route.fulfill({ contentType: 'text/event-stream', body: 'retry: 100\n' + sent }));
    await page.reload();
    await until(async () => assert.match(await page.textContent('#run'), /^Aufnahme: 0 von 300\.$/));   // counted ahead, though only 40 were seen
    await until(async () => assert.match(await page.textContent('#notice'), /Ihre Bilder werden aufgenommen/));
    cpSync(top + '/demo/gallery/animals', folder, { recursive: true });
    scry(['index', folder, '--store', temporary + '/growing']);
    sent = event('progress', { added: 30, embedded: 30, elapsed_ms: 10000 });
    await until(async () => assert.equal(await page.textContent('#summary'), '32 Bilder'));
    await until(async () => assert.match(await page.textContent('#run'), /^Aufnahme: 30 von 300\. Noch \d+ Sekunden\.$/));
    await page.click('#run');
    await until(async () => assert.match(await page.textContent('#index-state'), /^30 von 300 Bildern, 30 neu, 0 übersprungen\. Noch/));
    assert.equal(await page.isDisabled('#index-form .main'), true);
    going = false;
    sent = event('done', { state: 'done', added: 300 });
    await until(async () => assert.match(await page.textContent('#index-state'), /^Fertig: 300 neu/));
    assert.equal(await page.isVisible('#run'), false);
    await server.stop();
  });

  for (const path of ['', '/photos']) await test(`without the server the page opens and says so, and keeps nothing of the collection${path && ', below a path'}`, async () => {
    const proxy = createServer((request, response) => {
      const onward = httpRequest({ port: server?.port ?? 1, path: request.url.slice(path.length) || '/', method: request.method, headers: request.headers }, answer => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => { response.writeHead(502); response.end('no server'); });
      request.pipe(onward);
    });
    await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve));
    proxy.unref();
    const home = `http://127.0.0.1:${proxy.address().port}`, url = home + path;
    let server = await serve(['--store', store, '--public-url', url]);
    const page = await open(url + '/?q=a+horse', { serviceWorkers: 'allow' });
    await settled(page);
    const kept = () => page.evaluate(async () => (await Promise.all((await caches.keys()).map(async name => (await (await caches.open(name)).keys()).map(r => r.url)))).flat());
    const needed = ['', 'assets/app.css', 'assets/app.js', 'assets/icon.svg', 'assets/strings/en.json'].map(name => `${url}/${name}`);
    await until(async () => { const there = await kept(); assert.deepEqual(needed.filter(address => !there.includes(address)), []); });
    await page.reload();   // now through the worker
    await settled(page);
    await openHit(page);
    await page.keyboard.press('Escape');
    await search(page, 'a castle');
    for (const address of await kept()) assert.ok(address === url + '/' || /^\/assets\/[^?]+$/.test(address.slice(url.length)), address);
    await server.stop();
    server = null;
    await page.reload();
    await until(async () => assert.match(await page.textContent('#notice'), /The server does not answer/));
    server = await serve(['--store', store, '--public-url', url]);
    await until(async () => assert.equal(await firstName(page), 'castle-by-the-water.jpg'));
    await server.stop();
    proxy.close();
    proxy.closeAllConnections();
  });

  await test('off loopback the page requires the token, then searches', async () => {
    write(temporary + '/token', 'a-token-of-24-characters\n', { mode: 0o600 });
    const server = await serve(['--store', store, '--token-file', temporary + '/token'], { listen: '0.0.0.0:0' });
    const page = await open(server.url + '/?q=a+horse');
    await page.locator('#login').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#login'), true);
    await page.fill('[name=token]', 'something-else-entirely');
    await page.click('#login-form .main');
    await until(async () => assert.match(await page.textContent('#login-error'), /not the token/));
    await page.fill('[name=token]', 'a-token-of-24-characters');
    await page.click('#login-form .main');
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    assert.equal(await page.isVisible('#login'), false);
    await page.reload();
    await settled(page);
    assert.equal(await firstName(page), 'horse.jpg');
    await server.stop();
  });

  await test('the server is killed and restarted while the page is open', async () => {
    const server = await serve(['--store', store]);
    const page = await open(server.url);
    await search(page, 'a horse');
    await server.stop('SIGKILL');
    await page.fill('#text', 'a castle by the water');
    await until(async () => assert.match(await page.textContent('#notice'), /does not answer/));
    assert.equal(await firstName(page), 'horse.jpg');   // the old results are still shown
    const again = await serve(['--store', store], { listen: '127.0.0.1:' + server.port });
    await until(async () => assert.equal(await firstName(page), 'castle-by-the-water.jpg'));
    assert.equal(await page.isVisible('#notice'), false);
    await again.stop();
  });

  await test('the server dies while one looks around: it is said where one is, and thumbnails and the open picture come when it is back', async () => {
    const server = await serve(['--store', store]), page = await open(server.url, { viewport: { width: 700, height: 500 } });
    await settled(page);
    await server.stop('SIGKILL');
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await until(async () => assert.ok(await page.locator('.hit.gone').count()));
    await until(async () => assert.match(await page.textContent('#notice.floating'), /does not answer/));
    await page.locator('.hit.gone .open').last().click();
    await until(async () => assert.equal(await page.textContent('#view-problem'), 'The server does not answer.'));
    const again = await serve(['--store', store], { listen: '127.0.0.1:' + server.port });
    await until(async () => assert.ok(await page.$eval('#full', img => img.complete && img.naturalWidth > 0 && !img.matches('.failed'))));
    assert.equal(await page.isVisible('#view-problem'), false);
    await page.keyboard.press('Escape');
    await until(async () => assert.deepEqual([await page.locator('.hit.gone').count(), await page.isVisible('#notice')], [0, false]));
    await again.stop();
  });

  await test('a request refused with 503 is repeated', async () => {
    const server = await serve(['--store', store]);
    const page = await open(server.url);
    await settled(page);
    let refused = 0;
    await page.route(/\/search\?/, route => (refused++ < 2 ? route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, contentType: 'application/problem+json', body: '{"status":503,"detail":"busy"}' }) : route.continue()));
    await page.fill('#text', 'a horse');
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    assert.ok(refused >= 3);
    await server.stop();
  });

  await test('an error is shown with a button to try again', async () => {
    const server = await serve(['--store', store]);
    const page = await open(server.url);
    await settled(page);
    let broken = true;
    await page.route(/\/search\?/, route => (broken ? route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{"status":500,"detail":"the disk is on fire"}' }) : route.continue()));
    await page.fill('#text', 'a horse');
    await until(async () => assert.match(await page.textContent('#notice'), /the disk is on fire/));
    broken = false;
    await page.click('#notice button');
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    await server.stop();
  });

  await test('a filter of an address that its field cannot hold is not left out: the server says what it takes', async () => {
    const wrong = { after: '2024-13-01', until: '2023-02-30', min_width: 'wide', min_rating: 'best', near: 'Munich', box: '1,2' };
    const server = await serve(['--store', store]), { url } = server;
    const page = await open(url + '/?date=2019');
    for (const [name, value] of Object.entries(wrong)) {
      await page.goto(`${url}/?${name}=${value}`);
      await settled(page);
      assert.match(await page.textContent('#notice'), new RegExp(`${name} takes .*"${value}"`), name);
      assert.equal(await page.textContent('#active-filters'), ['after', 'until'].includes(name) ? `${name === 'after' ? 'From' : 'To'} ${value}` : value);
      await page.click('#notice button');
      await settled(page);
      assert.match(await page.textContent('#summary'), /^[1-9]\d* pictures$/);
      assert.equal(await page.getAttribute('#filters [name=after]', 'type'), 'date');
    }
    await page.goto(url + '/?near=91,200,5');
    await settled(page);
    assert.match(await page.textContent('#notice'), /near takes .*"91,200,5"/);
    await page.goto(url + '/?after=May+2019&min_width=100');   // what is understood is
    await settled(page);
    assert.equal(await page.inputValue('#filters [name=after]'), 'May 2019');
    assert.equal(await page.inputValue('#filters [name=min_width]'), '100');
    await server.stop();
  });

  await test('a filter that is not understood: what it takes, nothing of the results before, and a button to clear the filters', async () => {
    const server = await serve(['--store', store]);
    const page = await open(server.url);
    await search(page, 'a horse');
    assert.notEqual(await page.textContent('#summary'), '');
    await page.click('#show-filters');
    await page.fill('[name=date]', 'gibberish');
    await page.keyboard.press('Enter');
    await until(async () => assert.match(await page.textContent('#notice'), /not understood.*gibberish/));
    assert.deepEqual([await page.textContent('#summary'), await page.textContent('#end'), await names(page)], ['', '', []]);
    await page.click('#notice button');
    await until(async () => assert.equal(await firstName(page), 'horse.jpg'));
    assert.equal(query(page).has('date'), false);
    await server.stop();
  });

  await test('a store that limits the depth of rankings: a notice at the end', async () => {
    const server = await serve(['--store', store]);
    const page = await open(server.url + '/?rest=yes');
    await settled(page);
    await page.route(/\/search\?.*cursor=/, route => route.fulfill({ status: 413, contentType: 'application/problem+json', body: '{"status":413,"detail":"offset + limit ends at 16384"}' }));
    await search(page, 'a horse');
    const before = await page.textContent('#summary');
    await page.locator('#text').blur();
    await page.mouse.wheel(0, 100000);
    await until(async () => assert.match(await page.textContent('#end'), /The store does not return more results/));
    assert.equal(await page.isVisible('#notice'), false);
    assert.equal(await page.textContent('#summary'), before);
    await page.click('#end button');
    await until(async () => assert.equal(new URL(page.url()).searchParams.get('fold'), 'no'));
    await server.stop();
  });
}
