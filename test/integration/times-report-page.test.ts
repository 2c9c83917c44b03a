import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { writeTimesReport } from '../../index/evaluate/report/write-report.js'
import { startBrowser } from '../support/browser.js'
import { temporaryDir } from '../support/cameo.js'
import { syntheticTimesReport } from '../support/times-report.js'

describe("the page of eval times' report in a browser", () => {
  const page = pathToFileURL(join(temporaryDir(), 'report', 'report.html'))
  let browser: Browser

  before(async () => {
    await writeTimesReport(join(page.pathname, '..'), syntheticTimesReport())
    browser = await startBrowser()
  })
  after(() => browser.close())

  for (const width of [1280, 400])
    it(`asks for nothing, complains of nothing, fits and draws its films, ${width} px wide`, async () => {
      const tab = await browser.newPage({ viewport: { width, height: 900 } })
      const requests: string[] = []
      const complaints: string[] = []
      tab.on('request', (request) => requests.push(request.url()))
      tab.on('console', (message) => complaints.push(message.text()))
      tab.on('pageerror', (error) => complaints.push(error.message))
      await tab.goto(page.href)
      assert.deepEqual(
        requests.filter((url) => !url.startsWith('data:')),
        [page.href],
      )
      assert.deepEqual(complaints, [])
      assert.equal(await tab.evaluate('document.documentElement.scrollWidth'), width)
      assert.equal(await tab.locator('#timelines svg:visible').count(), 2)
      assert.equal(await tab.locator('#films tbody tr').count(), 3)
      assert.match(
        (await tab.locator('#refused').textContent()) ?? '',
        /Ada <b>Lovelace<\/b>.*no face was found/s,
      )
      assert.match((await tab.locator('#timelines svg').first().textContent()) ?? '', /Bo/)
      await tab.close()
    })
})
