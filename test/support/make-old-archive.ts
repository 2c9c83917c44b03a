/**
 * Makes a small archive of an older schema, for tests of migrations. The product ingests clips of the demo
 * photos and enrols a name. Then the rows are copied into that version's tables (test/support/schemas).
 *
 *     node dist/test/support/make-old-archive.js DIR [VERSION]   the clips in DIR/clips, the archive in DIR/archive
 *     node dist/test/support/make-old-archive.js --freeze        writes today's definitions to test/support/schemas
 *
 * Without VERSION the archive has today's schema. Freeze after each change of index/store/schema.ts: a test
 * compares the two. After the version is raised, its definitions must not change any more.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { schemaVersion } from '../../index/store/schema.js'
import { makeFaceClip, makeFacePhoto } from './faces.js'
import { bringBackTo, freezeSchema } from './old-archive.js'

const command = fileURLToPath(new URL('../../scripts/cameo.js', import.meta.url))

export interface SmallArchive {
  readonly archive: string
  readonly clips: string
  /** A photo of the person who is enrolled as "Ada" and appears in costumes.mp4 and bar.mp4. */
  readonly photo: string
}

/** Three clips of two people, one of them with a name. */
export async function makeSmallArchive(dir: string): Promise<SmallArchive> {
  const [archive, clips, photo] = [join(dir, 'archive'), join(dir, 'clips'), join(dir, 'photo.jpg')]
  rmSync(archive, { recursive: true, force: true })
  mkdirSync(clips, { recursive: true })
  await makeFaceClip(join(clips, 'costumes.mp4'), 'costumes right')
  await makeFaceClip(join(clips, 'bar.mp4'), 'bar middle')
  await makeFaceClip(join(clips, 'party.mp4'), 'party first')
  await makeFacePhoto(photo, 'costumes right')
  for (const args of [
    ['ingest', clips],
    ['enroll', 'Ada', photo],
  ])
    execFileSync(process.execPath, [command, ...args, '--archive', archive], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  return { archive, clips, photo }
}

async function main(): Promise<void> {
  const [dir, version = `${schemaVersion}`] = process.argv.slice(2)
  if (dir === '--freeze') {
    console.log(`wrote ${freezeSchema()}`)
    return
  }
  if (dir === undefined) throw new Error('give the folder that the archive is made in')
  const { archive } = await makeSmallArchive(dir)
  if (Number(version) < schemaVersion) bringBackTo(Number(version), archive)
  console.log(`made ${archive}, schema ${version}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
