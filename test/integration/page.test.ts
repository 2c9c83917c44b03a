/** The page in Chromium, with the real server, on one archive: made clips, and two real ones. Tests change it in their order. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openAccess } from '../../index/access/access.js'
import { createCollection } from '../../index/access/collections.js'
import { createUser } from '../../index/access/users.js'
import { faces, photos } from '../../scripts/demo/demo-photos.js'
import { openCameo } from '../../workers/cameo.js'
import { serve, type RunningServer } from '../../workers/http/serve.js'
import { addressOf } from '../../workers/http/page/src/app/addresses.js'
import { createSilentLog } from '../../workers/service/log.js'
import { goodPassword } from '../support/access.js'
import { startBrowser } from '../support/browser.js'
import { temporaryDir } from '../support/cameo.js'
import { facePhotos, makeFaceClip } from '../support/faces.js'
import { faultsOf, filesOf, overhangOf, PageReaders, searchFor, waitUntilPlaying } from '../support/page.js'
import { madeClipId, peopleArchive, type MadeTrack } from '../support/people-archive.js'

const dir = temporaryDir()
const archive = join(dir, 'archive')
const films = join(dir, 'films')

const track = (
  like: MadeTrack['like'],
  startS: number,
  endS: number,
): MadeTrack & { readonly quality: number } => ({ like, spansS: [[startS, endS]], quality: 0.8 })

/** Nobody knows the name of Zoe: she is a stranger who looks the same in three clips. */
const clips = [
  { path: 'news/a.mp4', durationS: 120, tracks: [track({ Ada: 0.9 }, 5, 30), track({ Bob: 0.7 }, 40, 60)] },
  { path: 'news/b.mp4', durationS: 300, tracks: [track({ Ada: 0.6 }, 200, 290), track({ Zoe: 0.95 }, 1, 9)] },
  { path: 'talks/c.mp4', durationS: 60, tracks: [track({ Zoe: 0.9 }, 10, 20), track({ Ada: 0.8 }, 30, 50)] },
  { path: 'talks/d.mp4', tracks: [track({ Zoe: 0.92 }, 3, 8)] },
]

let browser: Browser
let server: RunningServer
let readers: PageReaders

before(async () => {
  mkdirSync(films)
  await makeFaceClip(join(films, 'costumes.mp4'), 'costumes right')
  // No browser plays this one.
  await makeFaceClip(join(films, 'party.avi'), 'party first', { encoding: ['-c:v', 'mpeg4', '-q:v', '3'] })
  peopleArchive(archive, ['Ada', 'Bob', 'Zoe'], clips).close()
  await using cameo = await openCameo({ archive, threads: 1 })
  await cameo.ingest(films)
  await cameo.groupPeople()
  await cameo.forget({ name: 'Zoe' })
})
before(async () => {
  browser = await startBrowser()
  server = await serve({ archive, port: 0, log: createSilentLog(), temporaryDir: temporaryDir(), threads: 1 })
  readers = new PageReaders(browser, server.url)
  const access = openAccess(archive)
  const { collectionId } = createCollection(access, { name: 'News', folders: ['/films/news'] })
  await createUser(access, {
    ...{ name: 'vera', roles: ['viewer'], password: goodPassword, collections: [collectionId] },
  })
  await createUser(access, { name: 'carl', roles: ['curator'], password: goodPassword })
  access.close()
})
after(async () => {
  await browser.close()
  await server.close()
})

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name })
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })

describe('the page', () => {
  it('makes the first administrator with the link of the first start, once, and signs out and in', async () => {
    const page = await readers.open()
    await page.goto(server.setup?.url ?? '')
    await page.getByLabel('Name').fill('root')
    for (const field of await page.locator('input[type=password]').all()) await field.fill(goodPassword)
    assert.deepEqual(await faultsOf(page), [])
    await button(page, 'Create the administrator').click()
    await heading(page, 'Who do you look for?').waitFor()
    await button(page, /Your account/).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()

    await page.getByLabel('Password').fill('not the password')
    await page.getByLabel('Name').fill('root')
    await button(page, 'Sign in').click()
    await page.getByText('SIGN_IN_FAILED').waitFor()
    assert.deepEqual(await faultsOf(page), [])
    await page.getByLabel('Password').fill(goodPassword)
    await button(page, 'Sign in').click()
    await heading(page, 'Who do you look for?').waitFor()
    await page.goto(server.setup?.url ?? '')
    await page.getByText('There is an administrator already.').waitFor()
    const again = await page.request.post('/api/v1/setup', {
      data: { token: server.setup?.url.split('#')[1], name: 'eve', password: goodPassword },
    })
    assert.equal(again.status(), 403)
    await page.context().close()
  })

  it('finds a name; a clip that is said to show somebody else is gone, and is back when that is undone', async () => {
    const page = await readers.signedIn('root')
    await searchFor(page, 'Ada')
    await heading(page, '3 clips found').waitFor()
    assert.deepEqual(await filesOf(page), ['a.mp4', 'c.mp4', 'b.mp4'])
    assert.equal(await button(page, /^0:05–0:30/).count(), 1)
    await page.getByRole('article').nth(1).getByRole('button', { name: 'Not this person' }).click()
    await heading(page, '2 clips found').waitFor()
    await button(page, 'Search').click()
    await heading(page, '2 clips found').waitFor()
    assert.deepEqual(await filesOf(page), ['a.mp4', 'b.mp4'])
    await page.goto('/names/Ada')
    await button(page, 'Undo').click()
    await page.getByText('Nobody has corrected an answer for this name.').waitFor()
    await page.goto('/?name=Ada')
    await heading(page, '3 clips found').waitFor()
    await page.context().close()
  })

  it('names an unnamed person, and finds this person', async () => {
    const page = await readers.signedIn('root', '/people')
    const unnamed = page.getByRole('article').filter({ hasText: '3 clips' }).filter({ hasText: '23 s' })
    await unnamed.getByRole('button', { name: /^Name/ }).click()
    await page.getByRole('dialog').getByRole('combobox').fill('Zoe Miller')
    await button(page, 'Save the name').click()
    await page.getByText('Saved as Zoe Miller.').waitFor()
    await page.goto('/?name=Zoe%20Miller')
    await heading(page, '3 clips found').waitFor()
    assert.deepEqual((await filesOf(page)).toSorted(), ['b.mp4', 'c.mp4', 'd.mp4'])
    await page.context().close()
  })

  it('writes an answer to a file in each format', async () => {
    const page = await readers.signedIn('root', '/?name=Ada')
    await heading(page, '3 clips found').waitFor()
    for (const [label, content] of [
      ['CSV', /a\.mp4,/],
      ['OTIO', /"OTIO_SCHEMA"/],
      ['JSON', /"searchId"/],
    ] as const) {
      await button(page, /^Export/).click()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: new RegExp(`^${label}`, 'i') }).click(),
      ])
      assert.equal(download.suggestedFilename(), `cameo.${label.toLowerCase()}`)
      assert.match(readFileSync(await download.path(), 'utf8'), content)
    }
    await page.context().close()
  })

  it('searches with the face that is picked on a photo, and plays a clip that browsers do not play', async () => {
    const page = await readers.signedIn('root')
    const { file, widthPx, heightPx } = photos.party
    await page.locator('input[type=file]').setInputFiles(join(await facePhotos(), file))
    const picture = page.locator('form img').first()
    await page.getByText('4 people are seen').first().waitFor()
    const at = await picture.boundingBox()
    assert.ok(at !== null)
    const [x1, y1, x2, y2] = faces['party first'].boxXyxyPx
    await page.mouse.click(
      at.x + (((x1 + x2) / 2) * at.width) / widthPx,
      at.y + (((y1 + y2) / 2) * at.height) / heightPx,
    )
    await heading(page, '1 clip found').waitFor()
    assert.deepEqual(await filesOf(page), ['party.avi'])
    await page.getByRole('group', { name: /^When/ }).getByRole('button').first().click()
    await waitUntilPlaying(page)
    assert.equal(await page.getByText(/^Converted for the browser/).count(), 1)
    assert.deepEqual(await faultsOf(page), [])
    await page
      .getByRole('region', { name: 'Player' })
      .getByRole('button', { name: 'Close the player' })
      .click()
    assert.equal(await page.locator('video').count(), 0)
    await page.context().close()
  })

  it('is used with the keyboard alone: signs in, searches, plays at a time, and opens a menu', async () => {
    const page = await readers.open()
    const press = async (...keys: readonly string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    await page.goto('/')
    await page.getByLabel('Name').waitFor()
    const focused = () => page.evaluate<string>('document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""') // prettier-ignore
    /** Presses Tab until something with this text has the focus. */
    const tabTo = async (text: RegExp) => {
      for (let i = 0; i < 60; i++) {
        if (text.test(await focused())) return
        await press('Tab')
      }
      assert.fail(`the Tab key does not reach ${String(text)}`)
    }
    await page.getByLabel('Name').focus()
    await page.keyboard.type('root')
    await press('Tab')
    await page.keyboard.type(goodPassword)
    await press('Enter')
    await heading(page, 'Who do you look for?').waitFor()
    await page.getByRole('radio', { name: 'Photo or clip' }).focus()
    await press('ArrowRight', 'Tab')
    await page.keyboard.type('ad')
    await page.getByRole('option', { name: 'Ada' }).waitFor()
    await press('ArrowDown', 'Enter')
    await heading(page, '3 clips found').waitFor()
    await tabTo(/^0:05–0:30/)
    const asked = page.waitForRequest(/\/playback\?/)
    await press('Enter')
    assert.match((await asked).url(), /startS=4&endS=30/)
    await tabTo(/Actions/)
    await press('Enter')
    await page.getByRole('menuitem', { name: 'Yes, Ada' }).waitFor()
    await press('End', 'Home', 'Enter')
    await page.getByText('✓ confirmed').first().waitFor()
    await page.context().close()
  })

  it('shows a viewer only clips of his folders, and nothing of what he may not do', async () => {
    const page = await readers.signedIn('vera', '/?name=Ada')
    await heading(page, '2 clips found').waitFor()
    assert.deepEqual(await filesOf(page), ['a.mp4', 'b.mp4'])
    assert.equal(await button(page, 'Not this person').count(), 0)
    assert.equal(await button(page, /^Export/).count(), 1)
    for (const name of ['Audit', 'Administration', 'Receipts', 'Reports', 'Approvals'])
      assert.equal(await page.getByRole('link', { name, exact: true }).count(), 0)
    await page.goto(addressOf('clip', { clipId: madeClipId(2) }))
    await page.getByText('CLIP_UNKNOWN').waitFor()
    await page.goto('/audit')
    await page.getByText('Your account may not see this page.').waitFor()
    for (const path of ['audit', 'users', 'receipts'])
      assert.equal((await page.request.get(`/api/v1/${path}`)).status(), 403)
    const forged = await page.request.delete('/api/v1/names/Ada')
    assert.equal(forged.status(), 403)
    await page.context().close()
  })

  it('lets somebody search once, or export once, after another person has approved', async () => {
    const root = await readers.signedIn('root', '/administration/settings')
    const policy = root.getByLabel('A search needs the approval of a second person')
    const savePolicy = async (isOn: boolean) => {
      await root.goto('/administration/settings')
      await policy.setChecked(isOn)
      await button(root, 'Save').click()
      await root.getByText('The settings were saved.').waitFor()
    }
    await savePolicy(true)
    const carl = await readers.signedIn('carl')
    const approve = async () => {
      await carl.getByText('Waiting for approval').waitFor()
      await root.goto('/approvals')
      await button(root, 'Approve').click()
    }
    await searchFor(carl, 'Bob')
    await approve()
    await button(carl, 'Search now').click()
    await heading(carl, '1 clip found').waitFor()
    assert.equal(await button(carl, /^Export/).count(), 0)
    await button(carl, 'Request approval').click()
    await approve()
    await button(carl, /^Export/).click()
    const exported = carl.waitForEvent('download')
    await carl.getByRole('menuitem', { name: /^CSV/ }).click()
    assert.match(readFileSync(await (await exported).path(), 'utf8'), /a\.mp4,/)
    await carl.getByText('A second person must approve each search.').waitFor()
    await savePolicy(false)
    await carl.context().close()
    await root.context().close()
  })

  it('ingests a folder, and shows how far it is', async () => {
    await makeFaceClip(join(films, 'late.mp4'), 'sofa right')
    const page = await readers.signedIn('root', '/archive')
    await page.getByLabel('Folders and files').fill(films)
    await button(page, 'Start the ingest').click()
    await page.getByText(/^3 of 3 files/).waitFor()
    const file = page.getByRole('listitem').filter({ hasText: 'late.mp4' })
    await file.getByText('done', { exact: true }).waitFor()
    assert.equal(await page.getByRole('listitem').filter({ hasText: 'unchanged' }).count(), 2)
    // Who comes later reads the same counts.
    const counts = await page.getByText(/^3 of 3 files/).innerText()
    assert.match(counts, /\d+ faces? found/)
    await page.reload()
    assert.equal(await page.getByText(/^3 of 3 files/).innerText(), counts)
    await page.goto('/clips')
    await page.getByRole('link', { name: 'late.mp4' }).waitFor()
    await page.context().close()
  })

  it('forgets a name with a receipt; nobody finds it any more, and the audit log no longer names it', async () => {
    const page = await readers.signedIn('root', '/names/Bob')
    await button(page, 'Forget this person').click()
    await page.getByRole('dialog').getByRole('textbox').fill('Bob')
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('link', { name: 'Open the receipt' }).click()
    await page.getByText(/R-[0-9a-f]{16}/).first().waitFor() // prettier-ignore
    assert.deepEqual(await faultsOf(page), [])
    await page.goto('/?name=Bob')
    await page.getByText('NAME_UNKNOWN').waitFor()
    await page.goto('/audit')
    await page.locator('summary', { hasText: 'forgot a name' }).first().waitFor()
    await page.locator('summary', { hasText: 'opened a person' }).filter({ hasText: '(forgotten)' }).first().waitFor() // prettier-ignore
    assert.equal(await page.getByText('Bob', { exact: true }).count(), 0)
    await button(page, 'Verify the log').click()
    await page.getByText(/^The log is intact/).waitFor()
    await page.context().close()
  })

  it('has no serious fault for people with disabilities in any view, on a desk in light and on a phone in dark', async () => {
    const page = await readers.signedIn('root')
    const inner = { clipId: madeClipId(0), name: 'Ada', personId: 1 }
    const names = ['search', 'clips', 'clip', 'people', 'person', 'names', 'name', 'archive', 'jobs', 'reports', 'approvals', 'audit', 'receipts', 'users', 'keys', 'collections', 'settings', 'account'] as const // prettier-ignore
    for (const name of names) {
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize({ width: 1280, height: 800 })
      await page.goto(name === 'search' ? '/?name=Ada' : addressOf(name, inner))
      await page.locator('main :is(h1, h2):not(.visually-hidden)').first().waitFor()
      await page.locator('.skeleton').first().waitFor({ state: 'detached' })
      const light = await faultsOf(page)
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize({ width: 390, height: 800 })
      const dark = await faultsOf(page)
      assert.deepEqual({ name, light, dark, overhangPx: await overhangOf(page) }, { name, light: [], dark: [], overhangPx: 0 }) // prettier-ignore
    }
    await page.context().close()
  })

  it('keeps the colours that are chosen, whatever the system says', async () => {
    const page = await readers.signedIn('root', '/', { colorScheme: 'light' })
    const background = () =>
      page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
    const light = await background()
    await button(page, /Your account/).click()
    await page.getByRole('menuitemradio', { name: 'Colours: Dark' }).click()
    const dark = await background()
    assert.notEqual(dark, light)
    await page.reload()
    await heading(page, 'Who do you look for?').waitFor()
    assert.equal(await background(), dark)
    await page.context().close()
  })

  it('has a reference of the API, which shows all routes', async () => {
    const page = await readers.open()
    await page.goto('/reference')
    await page.getByText('/api/v1/searches', { exact: true }).first().waitFor()
    await page.context().close()
  })

  it('breaks no rule of its own policy, and no script fails', () => assert.deepEqual(readers.complaints, []))
})
