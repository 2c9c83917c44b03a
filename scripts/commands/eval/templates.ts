import { usePack } from '../../cli/caller.js'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import {
  readMediaList,
  readSubjectTemplates,
  readTemplatePairs,
} from '../../../index/evaluate/formats/template-lists.js'
import {
  averageGalleries,
  identifyTemplates,
  TemplatePool,
  verifyTemplates,
  type TemplateTable,
} from '../../../index/evaluate/protocols/templates.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import {
  isFolder,
  loadEvalEmbedder,
  type EmbedderChoice,
} from '../../../index/evaluate/protocols/embed-benchmark.js'
import { deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, print, printJson } from '../../cli/output.js'
import { alignedOption, packOption } from '../../cli/benchmark-options.js'
import { orNull, percent, tellUnusable } from '../../reports/benchmark-report.js'
import { embedAll } from '../../cli/progress.js'

interface TemplatesOptions extends EmbedderChoice {
  readonly media: string
  readonly images: string
  readonly pairs?: string
  readonly gallery?: readonly string[]
  readonly probes?: string
  readonly json: boolean
}

export const templatesCommand = new Command('templates')
  .description('Templates of several pictures, as IJB-B and IJB-C have them: 1:1 and 1:N.')
  .requiredOption('--media <file>', 'lines "name tid mid": a picture, its template, its medium')
  .requiredOption('--images <dir>', 'folder that the names are in')
  .addOption(new Option('--pairs <file>', '1:1: lines "tid1 tid2 1" or "tid1 tid2 0"'))
  .addOption(
    new Option('--gallery <files>', '1:N: G1,G2, lists of "tid subject"').argParser((text: string) =>
      text.split(',').filter((file) => file !== ''),
    ),
  )
  .addOption(new Option('--probes <file>', '1:N: a list of "tid subject"'))
  .addOption(alignedOption())
  .addOption(packOption())
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Columns are separated by blanks or commas. A picture's feature (with its mirror image, not normalised) counts by its
detection score; pictures of a medium are averaged, media of a template added, and the template normalised.
1:1 gives TAR at the point of the ROC curve nearest to FPR 1e-6 … 1e-1. 1:N gives rank-1/5/10 and TPIR@FPIR of each
gallery, and their mean. Give --pairs, or --gallery and --probes, or all three.
With --json: {pack, templates, verification: {pairs, pairsWithoutTemplate, points}, galleries, average, unusable}.
Exit code: 0 all pictures had a face, 1 some had none (listed), 2 it could not run.`,
  )
  .action(async (options: TemplatesOptions) => {
    process.exitCode = await runTemplates(options)
  })

async function runTemplates(options: TemplatesOptions): Promise<number> {
  const { gallery = [], images } = options
  if (gallery.length > 0 !== (options.probes !== undefined))
    throw new CameoError('USAGE', '--gallery and --probes go together')
  if (options.pairs === undefined && options.probes === undefined)
    throw new CameoError('USAGE', 'give --pairs FILE, or --gallery FILES with --probes FILE')
  if (!isFolder(images)) throw new CameoError('USAGE', `there is no folder ${images}`)
  const media = readMediaList(options.media)
  const pairs = options.pairs === undefined ? undefined : readTemplatePairs(options.pairs)
  const galleries = gallery.map(readSubjectTemplates)
  const probes = options.probes === undefined ? [] : readSubjectTemplates(options.probes)
  const embedder = await loadEvalEmbedder(options, usePack)
  try {
    const pool = new TemplatePool(embedder.dimension)
    await embedAll(media, 'pictures', async ({ name, templateId, mediumId }) => {
      const image = await embedder.photo(join(images, name))
      if (image !== undefined) pool.add(templateId, mediumId, image.feature, image.detectionScore)
    })
    const templates: TemplateTable = pool.finish()
    const verification = pairs === undefined ? undefined : verifyTemplates(templates, pairs)
    const results = galleries.map((each) => identifyTemplates(templates, each, probes))
    const average = results.length > 0 ? averageGalleries(results) : undefined
    if (options.json)
      printJson({
        pack: embedder.packName,
        templates: templates.ids.length,
        ...(verification === undefined ? {} : { verification }),
        ...(average === undefined ? {} : { galleries: results, average }),
        unusable: embedder.unusable,
      })
    else {
      tellUnusable(embedder.unusable)
      print(
        `${counted(templates.ids.length, 'template')} of ${counted(media.length, 'picture')} (${embedder.packName})`,
      )
      for (const { targetFpr, tpr, fpr } of verification?.points ?? [])
        print(
          `TAR@FPR=${targetFpr.toExponential()} ${percent(tpr)} (FPR ${orNull(fpr)?.toExponential(2) ?? '–'})`,
        )
      if (average !== undefined) {
        const { rank, tpir } = average
        print(`rank-1 ${percent(rank[1])}, rank-5 ${percent(rank[5])}, rank-10 ${percent(rank[10])}`)
        for (const each of tpir) print(`TPIR@FPIR=${each.targetFpir} ${percent(each.tpir)}`)
      }
    }
    return embedder.unusable.length > 0 ? exitCodes.someFailed : exitCodes.ok
  } finally {
    await embedder.dispose()
  }
}
