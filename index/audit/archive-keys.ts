import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  randomUUID,
  type KeyObject,
} from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { CameoError } from '../../pipeline/common/errors.js'
import { makePrivateFolder, privateFileMode } from '../../pipeline/common/private-files.js'
import { archiveError } from '../store/database.js'

export const keysFolderName = 'keys'
const macKeyFile = 'audit-mac.key'
const signingKeyFile = 'signing.pem'

const keyBytes = 32

/** What a key derived from the archive's secret is for. Equal inputs give different results for different purposes. */
type MacPurpose = 'chain' | 'head' | 'label' | 'query' | 'approval-question'

/** Makes HMAC-SHA-256 values with keys that are derived from the archive's secret. */
export class ArchiveMacs {
  readonly #keys: ReadonlyMap<MacPurpose, Buffer>

  constructor(secret: Buffer) {
    const purposes = ['chain', 'head', 'label', 'query', 'approval-question'] as const
    this.#keys = new Map(
      purposes.map((purpose) => [
        purpose,
        Buffer.from(hkdfSync('sha256', secret, '', `archive key: ${purpose}`, keyBytes)),
      ]),
    )
  }

  /** 32 bytes. */
  mac(purpose: MacPurpose, ...inputs: readonly (string | Uint8Array)[]): Buffer {
    const key = this.#keys.get(purpose)
    if (key === undefined) throw new Error(`there is no key for ${purpose}`)
    const hmac = createHmac('sha256', key)
    for (const input of inputs) hmac.update(input)
    return hmac.digest()
  }
}

/**
 * The secret of an archive's audit log.
 * @param mayCreate false if there is something that an earlier secret protects
 * @throws AUDIT_KEY_MISSING, ARCHIVE_READ_ONLY, ARCHIVE_FULL
 */
export function readMacs(archiveDir: string, mayCreate: boolean): ArchiveMacs {
  const text = readOrCreate(archiveDir, macKeyFile, mayCreate, () => randomBytes(keyBytes).toString('hex'))
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw missingKey(archiveDir, macKeyFile, 'is damaged')
  return new ArchiveMacs(Buffer.from(text.trim(), 'hex'))
}

/** The key pair with which an archive signs receipts and exports of its log. */
export interface SigningKeys {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/**
 * The signing key of an archive; a new one if it has none.
 * @throws AUDIT_KEY_MISSING if the file is damaged; ARCHIVE_READ_ONLY, ARCHIVE_FULL
 */
export function readSigningKeys(archiveDir: string): SigningKeys {
  const pem = readOrCreate(archiveDir, signingKeyFile, true, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  )
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyType === 'ed25519')
      return { privateKey, publicKey: createPublicKey(privateKey) }
  } catch {
    // told below
  }
  throw missingKey(archiveDir, signingKeyFile, 'is damaged')
}

/** PEM text of a public key, for people who check signatures. */
export const publicKeyPem = ({ publicKey }: Pick<SigningKeys, 'publicKey'>): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString()

function readOrCreate(
  archiveDir: string,
  name: string,
  mayCreate: boolean,
  newContent: () => string,
): string {
  const dir = join(archiveDir, keysFolderName)
  const file = join(dir, name)
  try {
    if (!existsSync(file)) {
      if (!mayCreate) throw missingKey(archiveDir, name, 'is missing')
      makePrivateFolder(dir)
      createOnce(dir, file, newContent())
    }
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw archiveError(archiveDir, error) ?? error
  }
}

/** Writes a file as a whole or not at all. Of several processes that do this at once, the first one wins. */
function createOnce(dir: string, file: string, content: string): void {
  const temporary = join(dir, `.new-${randomUUID()}`)
  const handle = openSync(temporary, 'wx', privateFileMode)
  try {
    writeSync(handle, content)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(temporary, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

const missingKey = (archiveDir: string, name: string, what: string) =>
  new CameoError(
    'AUDIT_KEY_MISSING',
    `the key file ${join(archiveDir, keysFolderName, name)} ${what}: restore it from a backup, because what it protects cannot be checked without it`,
  )
