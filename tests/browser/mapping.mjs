// mapping.mjs - the map: clusters, an area as a filter, the small map of a picture.

import { accessible, api, assert, open, openHit, phone, query, scry, serve, settled, temporary, test, until } from './harness.mjs';
import { placesGallery } from './places.mjs';

const clusters = page => page.$$eval('#map-clusters button', all => all.map(b => b.getAttribute('aria-label')).sort());
const inClusters = page => page.$$eval('#map-clusters button', all => all.reduce((sum, b) => sum + parseInt(b.querySelector('span')?.textContent ?? '1', 10), 0));
const box = page => query(page).get('box')?.split(',').map(Number);
const circle = page => query(page).get('near')?.split(',').map(Number);

// Whether the canvas has pixels of several colours: the outlines were drawn.
const drawn = (page, canvas) => page.$eval(canvas, c => {
  const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
  return new Set(new Uint32Array(data.buffer)).size;
});

async function openMap(url, address = '/', options = {}) {
  const page = await open(url + address, options);
  await settled(page);
  await page.click('#show-map');
  await page.locator('#map-clusters button').first().waitFor();
  return page;
}

export async function mapping() {
  const store = temporary + '/places-store', count = placesGallery(temporary + '/places');
  scry(['index', temporary + '/places', '--store', store]);
  const server = await serve(['--store', store]), { url } = server;

  await test('the map has all pictures with a position; outlines; closed and opened again', async () => {
    const page = await openMap(url);
    await until(async () => assert.equal(await inClusters(page), count));
    assert.equal(await page.textContent('#map-state'), `${count} pictures with a position`);
    await until(async () => assert.ok(await drawn(page, '#map-canvas') >= 3));
    assert.ok(query(page).has('map'));
    await accessible(page);
    await page.click('#show-map');
    assert.equal(await page.isVisible('#map'), false);
    assert.equal(query(page).has('map'), false);
    const other = await open(`${url}/?map=48,7,4`);
    await until(async () => assert.deepEqual((await clusters(other)).map(c => c.replace(/ at .*/, '')), ['1 picture', '1 picture', '1 picture', '1 picture']));   // Eiffel Tower, aqueduct, windmills, Colosseum
  });

  await test('a cluster is divided by a click; a single picture becomes the filter', async () => {
    const page = await openMap(url);
    await until(async () => assert.equal(await inClusters(page), count));
    const two = page.locator('#map-clusters button', { has: page.locator('span') }).last(), before = query(page).get('map');
    await two.click();
    await until(() => assert.notEqual(query(page).get('map'), before));
    await until(async () => assert.equal(await page.locator('#map-clusters button span').count(), 0));
    await page.locator('#map-clusters button').first().click();
    await until(() => assert.equal(circle(page)?.[2], 0.5));
    await settled(page);
    assert.equal(await page.textContent('#summary'), '1 picture');
    await page.goBack();
    await until(async () => assert.equal(await page.textContent('#summary'), '26 pictures'));
    assert.equal(await page.isVisible('#map'), true);
  });

  await test('the map by keyboard: arrows, zoom, all; the pictures in view', async () => {
    const page = await openMap(url), at = () => query(page).get('map').split(',').map(Number);
    await until(async () => assert.equal(await inClusters(page), count));
    await until(() => assert.ok(query(page).get('map')));
    const start = at();
    await page.focus('#map-stage');
    await page.keyboard.press('ArrowLeft');
    await until(() => assert.ok(at()[1] < start[1]));
    await page.keyboard.press('ArrowUp');
    await until(() => assert.ok(at()[0] > start[0]));
    await page.keyboard.press('+');
    await until(() => assert.equal(at()[2], start[2] + 1));
    await page.keyboard.press('0');
    await until(() => assert.deepEqual(at(), start));
    await page.goto(`${url}/?map=-30,140,4.5`);
    await settled(page);
    await page.focus('#map-here');
    await page.keyboard.press('Enter');
    await until(async () => assert.equal(await page.textContent('#summary'), '1 picture'));
    const [west, south, east, north] = box(page), { results } = await api(`${url}/api/v1/images?box=${box(page)}`);
    assert.deepEqual(results.map(h => h.name), ['opera-house.jpg']);
    assert.ok(west < 145 && east > 145 && south < -30 && north > -30 && east - west < 90, String(box(page)));
    await page.fill('#text', 'a building');   // and a search in the area
    await until(async () => assert.deepEqual(await page.$$eval('.hit .open', all => all.map(a => a.title.split('/').pop())), ['opera-house.jpg']));
  });

  await test('an area drawn on the map: a circle from its middle; by touch, too', async () => {
    for (const options of [{}, phone]) {
      const page = await open(`${url}/?map=45,5,4`, options);
      await settled(page);
      await page.locator('#map-clusters button').first().waitFor();
      await page.click('#map-choose');
      const r = await page.locator('#map-canvas').boundingBox(), c = await page.locator('#map-clusters button').first().boundingBox();
      const middle = options === phone ? [r.x + r.width * 0.5 + 40, r.y + r.height * 0.75] : [c.x + c.width / 2, c.y + c.height / 2];   // or on a cluster
      await page.mouse.move(...middle);
      await page.mouse.down();
      await page.mouse.move(middle[0] + 60, middle[1] + 20, { steps: 4 });
      await page.mouse.up();
      await until(() => assert.ok(circle(page)?.[2] > 100));
      assert.equal(await page.getAttribute('#map-choose', 'aria-pressed'), 'false');
      await settled(page);
      const [latitude, longitude, km] = circle(page), { total } = await api(`${url}/api/v1/map?unique=1&near=${latitude},${longitude},${km}`);
      await until(async () => assert.equal(parseInt(await page.textContent('#summary'), 10), total));
      assert.equal(await page.textContent('#map-state'), `${count} pictures with a position`);   // the circle hides none of them
      await accessible(page);
    }
  });

  await test('over the date line: both sides are one map', async () => {
    const page = await open(url + '/?map=0,179,1');
    await settled(page);
    await until(async () => assert.equal(await inClusters(page), count));
    await page.focus('#map-stage');
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight');
    await until(() => assert.ok(Math.abs(query(page).get('map').split(',')[1]) <= 180));
    assert.equal(await inClusters(page), count);
  });

  await test('the pictures in view: a box, over the date line too, or the whole world; it takes the place of a circle', async () => {
    const page = await open(url + '/?map=0,179,4&near=48.86,2.29,10');
    await settled(page);
    assert.equal(await page.textContent('#summary'), '1 picture');
    await page.click('#map-here');
    await until(() => assert.ok(box(page)));
    const [west, south, east, north] = box(page);
    assert.ok(west > 100 && east < -100 && south < 0 && north > 0, String(box(page)));
    assert.equal(circle(page), undefined);
    assert.match(await page.textContent('#active-filters'), /on the map/);
    const { total } = await api(`${url}/api/v1/map?unique=1&box=${box(page)}`);
    await until(async () => assert.equal(parseInt(await page.textContent('#summary'), 10) || 0, total));
    assert.equal(await page.textContent('#map-state'), `${count} pictures with a position`);   // the box hides none of them
    await page.click('#active-filters button');
    await until(() => assert.equal(box(page), undefined));
    await page.goto(url + '/?map=20,0,1');
    await settled(page);
    await page.click('#map-here');
    await until(() => assert.deepEqual(box(page)?.filter((_, i) => i % 2 === 0), [-180, 180]));
    await until(async () => assert.equal(parseInt(await page.textContent('#summary'), 10), count));
  });

  await test('a picture that was found by words says where they are', async () => {
    const page = await open(url + '/?q=agra');
    await settled(page);
    assert.equal(await page.textContent('.hit[data-index="0"] .found'), 'Place');
    assert.match(await page.getAttribute('.hit[data-index="0"] .open', 'aria-label'), /taj-mahal\.jpg.*found by words: Place/);
    assert.equal(await page.locator('.found').count(), 1);
    await openHit(page);
    assert.match(await page.textContent('#meta'), /^Found by wordsPlace/);
    await page.goto(url + '/?q=taj-mahal');
    await settled(page);
    assert.equal(await page.textContent('.hit[data-index="0"] .found'), 'File name');
  });

  await test('places of the pictures are suggested while one is typed', async () => {
    const page = await open(url), offered = () => page.$$eval('#place-names option', all => all.map(o => [o.value, o.label]));
    await settled(page);
    await page.click('#show-filters');
    await page.fill('#filters [name=place]', 'ag');
    await until(async () => assert.deepEqual(await offered(), [['Agra, India', 'Agra, India (1)']]));
    await page.fill('#filters [name=place]', 'итал');
    await until(async () => assert.deepEqual(await offered(), [['Italy', 'Италия (1)']]));
    await page.fill('#filters [name=place]', 'Italy');
    await page.keyboard.press('Enter');
    await until(() => assert.equal(query(page).get('place'), 'Italy'));
    await until(async () => assert.deepEqual(await page.$$eval('.hit .open', all => all.map(a => a.title.replace(/.*\//, ''))), ['colosseum.jpg']));
  });

  await test('names of places are in the language of the page', async () => {
    const page = await open(url + '/?q=a+palace+with+white+domes&near=41.8902,12.4922,1', { locale: 'de' }), offered = () => page.$$eval('#place-names option', all => all.map(o => [o.value, o.label]));
    await settled(page);
    await page.click('#show-filters');
    await page.fill('#filters [name=place]', 'rom');
    await until(async () => assert.deepEqual(await offered(), [['Rom, Italien', 'Rom, Italien (1)']]));
    await page.fill('#filters [name=place]', '');
    await openHit(page);
    const place = page.locator('#meta button', { hasText: 'Rom, Italien' });
    await place.waitFor();
    await place.click();
    await until(() => assert.equal(query(page).get('place'), 'Rom, Italien'));
    await until(async () => assert.deepEqual(await page.$$eval('.hit .open', all => all.map(a => a.title.replace(/.*\//, ''))), ['colosseum.jpg']));
  });

  await test('the small map of a picture leads to the map', async () => {
    const page = await open(url + '/?q=a+palace+with+white+domes&near=27.1751,78.0421,1');
    await settled(page);
    await openHit(page);
    await until(async () => assert.ok(await drawn(page, '#small-map canvas') >= 3));
    assert.match(await page.textContent('#meta'), /Agra, India/);
    await accessible(page);
    await page.click('#small-map');
    assert.equal(await page.isVisible('#viewer'), false);
    await until(async () => assert.equal((await clusters(page)).length, 1));
    const [latitude, longitude] = query(page).get('map').split(',').map(Number);
    assert.ok(Math.abs(latitude - 27.1751) < 0.01 && Math.abs(longitude - 78.0421) < 0.01);
    await page.goBack();
    await until(async () => assert.equal(await page.isVisible('#map'), false));
    const without = await open(url + '/?q=a+waterfall');
    await settled(without);
    await without.locator('.hit .open[title$="waterfall-dam.jpg"]').click();
    await without.locator('#viewer').waitFor();
    assert.equal(await without.isVisible('#small-map'), false);
  });

  await server.stop();
}
