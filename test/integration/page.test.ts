import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { openAccess } from '../../index/access/access.js'
import { createUser } from '../../index/access/users.js'
import { serve, type RunningServer } from '../../workers/http/serve.js'
import { createSilentLog } from '../../workers/service/log.js'
import { startBrowser } from '../support/browser.js'
import { temporaryDir } from '../support/cameo.js'
import { peopleArchive } from '../support/people-archive.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const password = 'correct horse battery'

interface Violation {
  readonly id: string
  readonly impact: string | null
}

/** Faults of the page for people with disabilities, as axe-core finds them. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = (await page.evaluate('axe.run().then((result) => result.violations)')) as readonly Violation[]
  return found.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id)
}

async function signIn(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Who do you look for?').first().waitFor()
}

async function searchFor(page: Page, name: string): Promise<void> {
  await page
    .locator('label', { hasText: /^Name$/ })
    .first()
    .click()
  await page.getByRole('combobox', { name: 'Name' }).fill(name)
  await page.getByRole('option', { name }).first().click()
  await page.getByRole('button', { name: 'Search', exact: true }).click()
}

describe('the page', () => {
  let browser: Browser
  let server: RunningServer
  let archive: string
  before(async () => {
    archive = temporaryDir()
    peopleArchive(
      archive,
      ['Ada', 'Bob'],
      [
        {
          path: 'a.mp4',
          durationS: 120,
          tracks: [
            { like: { Ada: 0.9 }, spansS: [[5, 30]] },
            { like: { Bob: 0.7 }, spansS: [[40, 60]] },
          ],
        },
        { path: 'b.mp4', durationS: 300, tracks: [{ like: { Ada: 0.6 }, spansS: [[200, 290]] }] },
      ],
    ).close()
    browser = await startBrowser()
    server = await serve({ archive, port: 0, log: createSilentLog(), temporaryDir: temporaryDir() })
    const access = openAccess(archive)
    await createUser(access, { name: 'vera', roles: ['viewer'], password })
    access.close()
  })
  after(async () => {
    await browser.close()
    await server.close()
  })

  it('makes the first administrator with the link of the first start, once', async () => {
    const page = await browser.newPage()
    await page.goto(server.setup?.url ?? '')
    await page.getByLabel('Name').fill('root')
    for (const field of await page.locator('input[type=password]').all()) await field.fill(password)
    await page.locator('button[type=submit]').click()
    await page.getByText('Who do you look for?').first().waitFor()
    assert.deepEqual(await faultsOf(page), [])
    await page.close()
    const again = await fetch(`${server.url}/api/v1/setup`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ token: server.setup?.url.split('#')[1], name: 'eve', password }),
    })
    assert.equal(again.status, 403)
  })

  it('finds a name, and a hit that is corrected is gone from the next answer', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' })
    await signIn(page, server.url, 'root')
    await searchFor(page, 'Ada')
    await page.getByRole('heading', { name: '2 clips found' }).waitFor()
    assert.deepEqual(await faultsOf(page), [])
    const corrected = page.waitForResponse(/corrections$/)
    await page.getByRole('button', { name: 'Not this person' }).nth(1).click()
    assert.equal((await corrected).status(), 200)
    await page.reload()
    await page.getByText('Who do you look for?').first().waitFor()
    await searchFor(page, 'Ada')
    await page.getByRole('heading', { name: '1 clip found' }).waitFor()
    await page.close()
  })

  it('has no serious fault for people with disabilities in any view, and fits on a phone', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } })
    await signIn(page, server.url, 'root')
    for (const path of [
      'clips',
      'people',
      'names',
      'names/Ada',
      'archive',
      'audit',
      'approvals',
      'receipts',
      'account',
    ]) {
      await page.goto(`${server.url}/${path}`)
      await page.locator('main h1, main h2').first().waitFor()
      await page.waitForLoadState('networkidle')
      assert.deepEqual([path, await faultsOf(page)], [path, []])
      const width = (await page.evaluate('document.documentElement.scrollWidth')) as number
      assert.ok(width <= 390, `${path} is ${width} px wide`)
    }
    await page.close()
  })

  it('can be used with a keyboard alone', async () => {
    const page = await browser.newPage()
    await page.goto(server.url)
    await page.getByLabel('Name').focus()
    await page.keyboard.type('root')
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.getByText('Who do you look for?').first().waitFor()
    await page.getByRole('radio', { name: 'Photo or clip' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Tab')
    await page.keyboard.type('Bob')
    await page.getByRole('option', { name: 'Bob' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: '1 clip found' }).waitFor()
    await page.close()
  })

  it('shows a viewer without collections nothing, and no buttons of what is not allowed', async () => {
    const page = await browser.newPage()
    await signIn(page, server.url, 'vera')
    await page.goto(`${server.url}/clips`)
    await page.locator('main h1').first().waitFor()
    await page.waitForLoadState('networkidle')
    assert.equal(await page.getByText('a.mp4').count(), 0)
    for (const name of ['Audit', 'Administration', 'Receipts'])
      assert.equal(await page.getByRole('link', { name, exact: true }).count(), 0)
    await page.close()
  })

  it('forgets a name with a receipt, and nobody finds it any more', async () => {
    const page = await browser.newPage()
    await signIn(page, server.url, 'root')
    await page.goto(`${server.url}/names/Bob`)
    await page
      .getByRole('button', { name: /^Forget/ })
      .first()
      .click()
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    const field = dialog.getByRole('textbox')
    if ((await field.count()) > 0) await field.first().fill('Bob')
    await dialog.getByRole('button', { name: /^Forget/ }).click()
    await page
      .getByText(/R-[0-9a-f]{16}/)
      .first()
      .waitFor()
    await page.goto(`${server.url}/names`)
    await page.getByText('Ada').first().waitFor()
    assert.equal(await page.getByText('Bob', { exact: true }).count(), 0)
    await page.close()
  })

  it('is smaller than 250 KB with gzip, and asks no other server', () => {
    const dir = fileURLToPath(new URL('../../workers/http/page/', import.meta.url))
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(js|css|html)$/.test(file),
    )
    const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(`${dir}${file}`)).length, 0)
    assert.ok(bytes < 250_000, `${bytes} bytes`)
    for (const file of files)
      assert.doesNotMatch(readFileSync(`${dir}${file}`, 'utf8'), /(src|href)="https?:\/\//)
  })
})
