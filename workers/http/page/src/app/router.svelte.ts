import { addressOf, placeOf, type AddressName, type Place } from './addresses.js'

/** Where the page is. Links of the page change it without a new document. */
class Router {
  place = $state<Place | undefined>(placeOf(location.pathname))
  query = $state.raw(new URLSearchParams(location.search))

  constructor() {
    addEventListener('popstate', () => this.#read())
    document.addEventListener('click', (event) => this.#follow(event))
  }

  /** Goes to an address of the page. */
  go(url: string, how: 'push' | 'replace' = 'push'): void {
    if (how === 'push') history.pushState(null, '', url)
    else history.replaceState(null, '', url)
    this.#read()
    if (how === 'push') scrollTo(0, 0)
  }

  to(name: AddressName, values?: Readonly<Record<string, string | number>>): void {
    this.go(addressOf(name, values))
  }

  #read(): void {
    this.place = placeOf(location.pathname)
    this.query = new URLSearchParams(location.search)
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.target !== '' || link.hasAttribute('download')) return
    const url = new URL(link.href, location.href)
    if (url.origin !== location.origin || placeOf(url.pathname) === undefined) return
    event.preventDefault()
    this.go(url.pathname + url.search + url.hash)
  }
}

export const router = new Router()
