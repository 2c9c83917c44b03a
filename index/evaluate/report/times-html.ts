import { figure } from './figures.js'
import { formatCount, formatCounted } from './format.js'
import { html, type Markup } from './markup.js'
import { pageHtml, settingsBody, warningsBody, type Tile } from './page.js'
import { table, type Column } from './table.js'
import { answeredSwatch, seenSwatch, timelinePlot, unsureSwatch } from './timeline.js'
import { listedAtMost, timesFiles, type TimesReport } from './times-data.js'

/** Renders the report of answers in time as one page. */
export function timesHtml(report: TimesReport): string {
  const { title, startedAt, durationS, missingFilms } = report
  const warnings =
    missingFilms.length === 0
      ? []
      : [
          {
            message: 'films of the truth are not in the archive',
            count: missingFilms.length,
            examples: missingFilms,
          },
        ]
  return pageHtml({
    ...{ title, startedAt, durationS },
    summary: summaryOf(report),
    tiles: tilesOf(report),
    sections: [
      { id: 'warnings', title: 'Warnings', body: warningsBody(warnings) },
      { id: 'refused', title: 'Refused queries', body: refusedSection(report) },
      { id: 'timelines', title: 'Worst films', body: timelinesSection(report) },
      { id: 'films', title: 'Films', body: filmsSection(report) },
      { id: 'people', title: 'People', body: peopleSection(report) },
      { id: 'settings', title: 'Run settings', body: settingsBody(report.settings) },
    ],
    dataFiles: [timesFiles.json, timesFiles.csv],
  })
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`

function summaryOf({ total, refused }: TimesReport): Markup {
  const { recall, precision, pairs, found, wrong } = total
  return html`Of the seconds in which people are seen, <strong>${percent(recall)}</strong> were answered; of
    the answered seconds, <strong>${percent(precision)}</strong> show the person. ${formatCount(found)} of
    ${formatCount(pairs)} people of a film were found, ${formatCount(wrong)} wrongly.
    ${refused.length === 0 ? undefined : `${formatCounted(refused.length, 'person', 'people')} could not be asked for.`}`
}

function tilesOf({ total }: TimesReport): Tile[] {
  const { recall, precision, f1, pairs, found, wrong, purity, splits, tracks } = total
  const tile = (name: string, value: string, detail: string): Tile => ({ name, value, detail })
  return [
    tile('Recall of seconds', recall.toFixed(3), 'of those seen'),
    tile('Precision of seconds', precision.toFixed(3), `F1 ${f1.toFixed(3)}`),
    tile('People found', `${formatCount(found)}/${formatCount(pairs)}`, 'of a film'),
    tile('Wrongly found', formatCount(wrong), 'in films that do not show them'),
    tile('Purity of tracks', purity.toFixed(3), formatCounted(tracks, 'track')),
    tile('Tracks an appearance', splits.toFixed(2), '1 is best'),
  ]
}

function refusedSection({ refused }: TimesReport): Markup | undefined {
  if (refused.length === 0) return undefined
  return table(
    'People who could not be asked for. They count as not found.',
    'Refused queries',
    [
      { name: 'Person', header: true, cell: ({ person }) => person },
      { name: 'Why', prose: true, cell: ({ message }) => message },
      { name: 'Code', cell: ({ code }) => html`<code>${code}</code>` },
    ],
    refused.slice(0, listedAtMost),
  )
}

function timelinesSection({ worst }: TimesReport): Markup | undefined {
  if (worst.length === 0) return undefined
  return html`<div class="figures">
    ${worst.map((timeline, number) => {
      const { film, people, peopleInAll, wrongS } = timeline
      const shown = people.length < peopleInAll ? ` ${people.length} of ${peopleInAll} people.` : ''
      return figure(
        film,
        timelinePlot(`timeline-${number}`, timeline),
        `${wrongS.toFixed(1)} s missed or wrong.${shown}`,
        [seenSwatch, answeredSwatch, unsureSwatch],
      )
    })}
  </div>`
}

type Accuracy = Omit<TimesReport['people'][number], 'person'>

const accuracyColumns: readonly Column<Accuracy>[] = [
  { name: 'Recall', number: true, cell: ({ recall, pairs }) => (pairs === 0 ? '–' : recall.toFixed(3)) },
  {
    name: 'Precision',
    number: true,
    cell: ({ precision, found, wrong }) => (found + wrong === 0 ? '–' : precision.toFixed(3)),
  },
  {
    name: 'Found',
    number: true,
    cell: ({ found, pairs }) => `${formatCount(found)} of ${formatCount(pairs)}`,
  },
  { name: 'Wrong', number: true, cell: ({ wrong }) => formatCount(wrong) },
]

function filmsSection({ films }: TimesReport): Markup {
  return table<TimesReport['films'][number]>(
    caption('films', films.length),
    'Films',
    [
      { name: 'Film', header: true, cell: ({ film }) => film },
      ...accuracyColumns,
      { name: 'Tracks', number: true, cell: ({ tracks }) => formatCount(tracks) },
      {
        name: 'Purity',
        number: true,
        cell: ({ purity, tracks }) => (tracks === 0 ? '–' : purity.toFixed(3)),
      },
      {
        name: 'Tracks an appearance',
        number: true,
        cell: ({ splits }) => (splits === 0 ? '–' : splits.toFixed(2)),
      },
    ],
    films.slice(0, listedAtMost),
  )
}

function peopleSection({ people }: TimesReport): Markup {
  return table<TimesReport['people'][number]>(
    caption('people', people.length),
    'People',
    [{ name: 'Person', header: true, cell: ({ person }) => person }, ...accuracyColumns],
    people.slice(0, listedAtMost),
  )
}

const caption = (what: string, all: number) =>
  `${all > listedAtMost ? `${listedAtMost} of ${formatCount(all)} ${what}` : `All ${what}`}, those with most missed and wrong seconds first. Pairs of film and person are in ${timesFiles.csv}.`
