// Which files may import which: one direction through the four parts, and no cycles of files or folders, including types.
const parts = ['pipeline', 'index', 'workers', 'scripts']

/** The only file that may import each native or external engine. */
const adapters = {
  'onnxruntime-node': 'pipeline/models/session.ts',
  'fluent-ffmpeg': 'pipeline/decode/ffmpeg.ts',
  'hnswlib-node': 'index/vectors/hnsw/hnsw-index.ts',
  'better-sqlite3': 'index/store/sqlite.ts',
  kafkajs: 'workers/kafka/broker/client.ts',
  '@node-rs/argon2': 'index/access/passwords.ts',
  sharp: 'pipeline/image/image-library.ts',
}

/** Tests make hashes with other parameters, and pictures with sharp. Two tests use parts of kafkajs, one file mends it. An example is a user's program. */
const othersMayImport = {
  '@node-rs/argon2': ['test/unit/index/access/'],
  sharp: ['test/'],
  kafkajs: [
    'workers/kafka/broker/quiet-request-queues.ts',
    'test/unit/workers/kafka/broker/quiet-request-queues.test.ts',
    'test/unit/workers/kafka/broker/retrying-publisher.test.ts',
    'scripts/examples/consume-descriptors.ts',
  ],
}

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to })

export default {
  forbidden: [
    rule('no-circle-of-files', 'Move what both files need to a new file.', {}, { circular: true }),
    {
      ...rule(
        'no-circle-of-folders',
        'Move what both folders need to a folder that imports from neither.',
        {},
        { circular: true },
      ),
      scope: 'folder',
    },
    ...parts
      .slice(0, -1)
      .map((part, i) =>
        rule(
          `${part}-imports-downwards`,
          'Directions: scripts → workers → index → pipeline.',
          { path: `^${part}/` },
          { path: `^(${[...parts.slice(i + 1), 'test'].join('|')})/` },
        ),
      ),
    rule(
      'scripts-import-no-tests',
      'Tests are not part of what people run.',
      { path: '^scripts/' },
      { path: '^test/' },
    ),
    ...Object.entries(adapters).map(([engine, file]) =>
      rule(
        `only-one-file-imports-${engine}`,
        `Only ${file} talks to ${engine}.`,
        { pathNot: `^(${[file, ...(othersMayImport[engine] ?? [])].join('|')})` },
        { path: `node_modules/(@types/)?${engine}/` },
      ),
    ),
    rule(
      'no-orphan',
      'No file imports it, and it is not an entry.',
      { orphan: true, pathNot: '/assembly/|[.]d[.]ts$' },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Runs in a browser, and is checked and built with tools of its own.
    exclude: { path: '^workers/http/page/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
