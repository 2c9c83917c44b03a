import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { z } from 'zod'
import type { EvaluationReport } from '../../index/evaluate/report/report-data.js'
import { readReport } from '../../index/evaluate/report/read-report.js'
import { writeReport } from '../../index/evaluate/report/write-report.js'
import { startBrowser } from '../support/browser.js'
import { syntheticReport, syntheticThumbnail } from '../support/report.js'

const widths = [1280, 400]
/** 190 mm at 96 px an inch: A4 without margins of 10 mm. */
const a4WidthPx = 718

describe('report.html in a browser', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'cameo-page-'))
  const dir = join(scratch, 'report')
  let browser: Browser
  let report: EvaluationReport

  before(async () => {
    const jpeg = await syntheticThumbnail(1)
    await writeReport(dir, syntheticReport(), (_, clip) => (clip.endsWith('3.mp4') ? undefined : jpeg))
    report = await readReport(dir)
    browser = await startBrowser()
  })
  after(async () => {
    await browser.close()
    rmSync(scratch, { recursive: true, force: true })
  })

  /** Opens a report's page; what it asked for and what it complained of come with it. */
  async function open(width: number, colorScheme: 'light' | 'dark' = 'light', folder = dir) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(pathToFileURL(join(folder, 'report.html')).href)
    return { page, requests, complaints }
  }

  /** A browser's expression of `element`, for each element; the DOM's types are not those of Node. */
  async function each(page: Page, selector: string, expression: string): Promise<string[]> {
    const elements = `[...document.querySelectorAll(${JSON.stringify(selector)})]`
    return z
      .array(z.string())
      .parse(await page.evaluate(`${elements}.map((element) => String(${expression}))`))
  }
  const texts = (page: Page, selector: string) => each(page, selector, 'element.textContent.trim()')

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of widths)
      it(`asks for nothing, complains of nothing and fits, ${width} px wide, ${colorScheme}`, async () => {
        const { page, requests, complaints } = await open(width, colorScheme)
        const outside = requests.filter((url) => !url.startsWith('data:'))
        assert.deepEqual(outside, [pathToFileURL(join(dir, 'report.html')).href])
        assert.deepEqual(complaints, [])
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
        await page.close()
      })

  it('fits on paper, in black on white for readers of dark pages too', async () => {
    const { page } = await open(a4WidthPx, 'dark')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), a4WidthPx)
    assert.deepEqual(await each(page, 'body', 'getComputedStyle(element).backgroundColor'), [
      'rgb(255, 255, 255)',
    ])
    assert.deepEqual(await each(page, 'h1', 'getComputedStyle(element).color'), ['rgb(27, 31, 39)'])
    await page.close()
  })

  it('draws all four plots, whole and with colours that the page defines', async () => {
    for (const width of widths) {
      const { page } = await open(width)
      const plots = page.locator('figure svg')
      assert.equal(await plots.count(), 4)
      for (const plot of await plots.all()) {
        const box = await plot.boundingBox()
        assert.ok(box !== null && box.width > 300 && box.height > 200, JSON.stringify(box))
        assert.ok(box.x >= 0 && box.x + box.width <= width)
        assert.ok(await plot.isVisible())
        assert.match((await plot.getAttribute('aria-label')) ?? '', /\w+ \w+/)
        assert.equal(await plot.getAttribute('role'), 'img')
      }
      // A variable that is missing would make lines vanish: their computed colour is "none".
      const colors = await each(page, 'figure svg path[stroke^="var"]', 'getComputedStyle(element).stroke')
      assert.ok(colors.length > 30)
      for (const color of colors) assert.match(color, /^rgb/)
      await page.close()
    }
  })

  it('has no duplicate id, and finds each clip path', async () => {
    const { page } = await open(1280)
    const ids = await each(page, '[id]', 'element.id')
    assert.equal(new Set(ids).size, ids.length)
    const clips = await each(page, '[clip-path]', "element.getAttribute('clip-path')")
    assert.ok(clips.length > 0)
    for (const clip of clips) assert.ok(ids.includes(clip.replace(/^url\(#(.*)\)$/, '$1')), clip)
    await page.close()
  })

  it('has the ladder’s numbers as the data have them', async () => {
    const { page } = await open(1280)
    const rows = page.locator('#ladder tbody tr')
    assert.equal(await rows.count(), report.steps.length)
    for (const [i, step] of report.steps.entries()) {
      const cells = await rows.nth(i).locator('td').allTextContents()
      const numbers = cells
        .slice(0, -1)
        .flatMap((cell) => cell.replaceAll('−', '-').match(/[-+]?\d+\.\d+/g) ?? [])
        .map(Number)
      const expected = [
        step.map,
        ...step.ci95,
        ...(step.gain === undefined ? [] : [step.gain.value, ...step.gain.ci95]),
      ]
      assert.equal(numbers.length, expected.length)
      for (const [j, value] of expected.entries()) assert.ok(Math.abs(value - numbers[j]!) <= 0.5001e-4)
      const verdict = cells
        .at(-1)
        ?.replace(/[^a-z ]/g, '')
        .trim()
      const [low, high] = step.gain?.ci95 ?? [0, 0]
      assert.equal(verdict, i === 0 ? 'baseline' : low > 0 ? 'gains' : high < 0 ? 'loses' : 'gains nothing')
      assert.ok((await rows.nth(i).locator('th[scope=row]').textContent())?.includes(step.name))
    }
    await page.close()
  })

  it('has the operating points and the worst identities as the data have them', async () => {
    const { page } = await open(1280)
    const thresholds = (await texts(page, '#error-rates tbody td:nth-child(2)')).map(Number)
    const expected = [...report.scores!.points, report.scores!.equalError!].map(({ threshold }) => threshold)
    assert.deepEqual(
      thresholds,
      expected.map((threshold) => Number(threshold.toFixed(4))),
    )
    assert.deepEqual(
      (await texts(page, '#worst-identities tbody td:nth-child(2)')).map(Number),
      report.worst.map(({ ap }) => Number(ap.toFixed(4))),
    )
    assert.equal(report.worst.length, 20)
    await page.close()
  })

  it('shows names and messages as text, never as markup', async () => {
    const { page } = await open(1280)
    assert.equal(await page.title(), 'iQIYI-VID validation <synthetic>')
    assert.equal(await page.locator('script').count(), 0)
    assert.ok(
      (await texts(page, '#warnings li')).some((text) => text.includes('<script>alert("x")</script>')),
    )
    assert.ok((await texts(page, '#settings dd')).includes('val_gt.txt <b>&amp;'))
    assert.equal(await page.locator('b:text("Lovelace")').count(), 0)
    await page.close()
  })

  it('shows each thumbnail, and marks missing ones', async () => {
    const { page } = await open(1280)
    const sizes = await each(page, '.clips img', 'element.naturalWidth')
    assert.ok(sizes.length > 50)
    assert.deepEqual(new Set(sizes), new Set(['160']))
    const without = report.worst
      .flatMap(({ wrong, missed }) => [...wrong.map(({ clip }) => clip), ...missed])
      .filter((clip) => clip.endsWith('3.mp4'))
    assert.equal(await page.locator('.no-thumbnail').count(), without.length)
    await page.close()
  })

  it(
    'can be used with the keyboard: links go to sections, wide tables scroll',
    { timeout: 60_000 },
    async () => {
      const { page } = await open(400)
      await page.keyboard.press('Tab')
      assert.equal(await page.locator(':focus').textContent(), 'Skip to the content')
      const targets = await each(page, 'nav a', "element.getAttribute('href')")
      assert.ok(targets.length >= 6)
      for (const target of targets) assert.equal(await page.locator(target).count(), 1, target)
      await page.locator('#ladder .scroll').focus()
      assert.deepEqual(await each(page, '#ladder .scroll', 'element.scrollLeft'), ['0'])
      await page.keyboard.press('ArrowRight')
      // Scrolling is smooth. The page's policy does not let it be asked from within.
      while ((await each(page, '#ladder .scroll', 'element.scrollLeft'))[0] === '0') await pause(20)
      await page.close()
    },
  )

  it('fits and draws the smallest report and a large one', async () => {
    const least = join(scratch, 'least')
    await writeReport(least, {
      ...syntheticReport({ identities: 1, steps: 1 }),
      identities: [{ identity: '1', name: 'x'.repeat(300), positives: 3, found: [0], ap: [0] }],
      steps: [{ name: 'only', map: 0, ci95: [0, 0] }],
      chosenStep: 'only',
      precisionRecall: [{ step: 'only', precision: new Array<number>(101).fill(0) }],
    })
    const much = join(scratch, 'much')
    // As many identities as iQIYI-VID-2018 has: twelve times 412, so that MAP stays what it is.
    const some = syntheticReport({ identities: 412 })
    const identities = Array.from({ length: 12 }, (_, i) =>
      some.identities.map((identity) => ({ ...identity, identity: `${i}-${identity.identity}` })),
    ).flat()
    await writeReport(much, { ...some, identities })
    for (const [folder, plots] of [
      [least, 4],
      [much, 4],
    ] as const)
      for (const width of widths) {
        const { page, complaints } = await open(width, 'light', folder)
        assert.deepEqual(complaints, [])
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
        assert.equal(await page.locator('figure svg:visible').count(), plots)
        await page.close()
      }
  })
})
