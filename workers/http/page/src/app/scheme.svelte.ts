/** Light or dark. `auto` follows the system. */
export const schemes = ['auto', 'light', 'dark'] as const
export type Scheme = (typeof schemes)[number]

const key = 'cameo-scheme'

class SchemeStore {
  current = $state<Scheme>(stored())

  constructor() {
    this.#apply()
  }

  choose(scheme: Scheme): void {
    this.current = scheme
    try {
      localStorage.setItem(key, scheme)
    } catch {
      // The choice lasts until the page is closed.
    }
    this.#apply()
  }

  #apply(): void {
    const { dataset } = document.documentElement
    if (this.current === 'auto') delete dataset['scheme']
    else dataset['scheme'] = this.current
  }
}

function stored(): Scheme {
  try {
    return schemes.find((scheme) => scheme === localStorage.getItem(key)) ?? 'auto'
  } catch {
    return 'auto'
  }
}

export const scheme = new SchemeStore()
