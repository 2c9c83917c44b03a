import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { goodPassword } from './access.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly impact: string | null
  readonly nodes: readonly { readonly html: string }[]
}

/** Serious faults of a page for people with disabilities, as axe-core finds them. */
export async function faultsOf(page: Page): Promise<readonly string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe)
  const found = await page.evaluate<readonly Violation[]>(
    'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations)',
  )
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
}

/** How far the page reaches beyond the right edge of the window, px. */
export const overhangOf = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')

/** People at browsers of their own, in front of one server. */
export class PageReaders {
  /** What the browser complained about: errors of scripts, and what the policy of the page forbids. */
  readonly complaints: string[] = []
  readonly #browser: Browser
  readonly #url: string

  /** @param url address of the server */
  constructor(browser: Browser, url: string) {
    this.#browser = browser
    this.#url = url
  }

  /** An empty page; nobody is signed in. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ baseURL: this.#url, ...options })
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      // An answer with an error is also told of here; the tests expect some.
      const isOfServer = message.text().startsWith('Failed to load resource')
      if (message.type() === 'error' && !isOfServer) this.complaints.push(message.text())
    })
    return page
  }

  /** A page of a user who is signed in. @param path where the user goes then */
  async signedIn(name: string, path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(options)
    const signedIn = await page.request.post('/api/v1/session', {
      data: { name, password: goodPassword },
    })
    if (!signedIn.ok()) throw new Error(`${name} cannot sign in: ${await signedIn.text()}`)
    await page.goto(path)
    return page
  }
}

/** Asks for a name from the form of the search. */
export async function searchFor(page: Page, name: string): Promise<void> {
  await page.locator('label', { hasText: /^Name$/ }).click()
  await page.getByRole('combobox', { name: 'Name' }).fill(name)
  await page.getByRole('option', { name: new RegExp(`^${name}`) }).click()
}

/** The files of the clips of an answer, in their order. */
export const filesOf = (page: Page): Promise<readonly string[]> =>
  page.locator('article .title a').allTextContents()

/** Waits until the player's video runs. @throws the video's error */
export async function waitUntilPlaying(page: Page): Promise<void> {
  const video = page.locator('video')
  await video.waitFor()
  for (;;) {
    const { error, timeS } = await page.evaluate<{ error: string | undefined; timeS: number }>(
      '(() => { const video = document.querySelector("video"); return { error: video?.error?.message, timeS: video?.currentTime ?? 0 } })()',
    )
    if (error !== undefined) throw new Error(`the video does not play: ${error}`)
    if (timeS > 0) return
    await page.waitForTimeout(50)
  }
}
