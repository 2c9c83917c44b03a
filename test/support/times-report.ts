import { parseAppearances } from '../../index/evaluate/datasets/appearances.js'
import { timesReportOf } from '../../index/evaluate/report/summarise-times.js'
import type { TimesReport } from '../../index/evaluate/report/times-data.js'
import { scoreTimes } from '../../index/evaluate/protocols/times.js'

const span = (startS: number, endS: number) => ({ startS, endS })

const truth = parseAppearances(
  [
    'film,person,start_s,end_s,kind',
    'good.mp4,Ada,0,10,seen',
    'bad.mp4,Ada <b>Lovelace</b>,0,10,seen',
    'bad.mp4,Bo,9,20,seen',
    'bad.mp4,*,9,10,unsure',
    'gone.mp4,Bo,0,5,seen',
  ].join('\n'),
  'truth.csv',
)

/**
 * Ada is found in her film, Bo for 4 s in his film and for 2 s in another one. The query of the other Ada was
 * refused.
 */
const answers = new Map([
  ['Ada', new Map([['good.mp4', [span(0, 10)]]])],
  ['Bo', new Map([['bad.mp4', [span(4, 6), span(12, 16)]]])],
])

/** A report of synthetic answers in time. The film "gone.mp4" is not in its archive. */
export function syntheticTimesReport(): TimesReport {
  return timesReportOf(
    {
      ...{ truth, answers, pairs: scoreTimes(truth, answers), line: { threshold: 0.38, reason: 'given' } },
      tracks: [
        { film: 'good.mp4', spans: [span(0, 10)] },
        { film: 'bad.mp4', spans: [span(4, 6), span(12, 16)] },
      ],
      refused: [
        { person: 'Ada <b>Lovelace</b>', code: 'IMAGE_NO_FACE', message: 'no face was found in Ada.jpg' },
      ],
      missingFilms: ['gone.mp4'],
    },
    {
      title: 'Answers in time',
      startedAt: '2026-11-24T09:30:00.000Z',
      durationS: 12,
      settings: { archive: 'cameo-data', minScore: 0.38 },
    },
  )
}
