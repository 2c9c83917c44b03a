/** The addresses of the page. `:name` stands for a part that varies. The server answers each of them with the page. */
export const addresses = {
  search: '/',
  signIn: '/sign-in',
  setup: '/setup',
  account: '/account',
  clips: '/clips',
  clip: '/clips/:clipId',
  people: '/people',
  person: '/people/:personId',
  names: '/names',
  name: '/names/:name',
  archive: '/archive',
  jobs: '/jobs',
  job: '/jobs/:jobId',
  reports: '/reports',
  report: '/reports/:evaluationId',
  approvals: '/approvals',
  audit: '/audit',
  receipts: '/receipts',
  receipt: '/receipts/:receiptId',
  users: '/administration/users',
  keys: '/administration/keys',
  collections: '/administration/collections',
  settings: '/administration/settings',
} as const

export type AddressName = keyof typeof addresses

/** A place in the page. */
export interface Place {
  readonly name: AddressName
  /** The varying parts of the address, decoded. */
  readonly values: Readonly<Record<string, string>>
}

/** The address of a place. */
export function addressOf(name: AddressName, values: Readonly<Record<string, string | number>> = {}): string {
  return addresses[name].replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(String(values[key] ?? '')))
}

/** The place at a path; undefined if the page has no such address. */
export function placeOf(path: string): Place | undefined {
  const given = path.replace(/(.)\/$/, '$1').split('/')
  for (const name of addressNames) {
    const values = valuesOf(addresses[name].split('/'), given)
    if (values !== undefined) return { name, values }
  }
  return undefined
}

const isAddressName = (name: string): name is AddressName => Object.hasOwn(addresses, name)
const addressNames = Object.keys(addresses).filter(isAddressName)

function valuesOf(pattern: readonly string[], given: readonly string[]): Place['values'] | undefined {
  if (pattern.length !== given.length) return undefined
  const values: Record<string, string> = {}
  for (const [i, part] of pattern.entries()) {
    const own = given[i] ?? ''
    if (!part.startsWith(':')) {
      if (part !== own) return undefined
    } else {
      const value = decoded(own)
      if (value === undefined || value === '') return undefined
      values[part.slice(1)] = value
    }
  }
  return values
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
