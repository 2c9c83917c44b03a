// Types are checked by tsc; this file adds what it cannot see: floating promises, silenced types, and the
// directions in which folders may import each other.
import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import tseslint from 'typescript-eslint'

/** The one file that may import each native or external engine. */
const adapters = {
  'onnxruntime-node': 'pipeline/models/session.ts',
  'fluent-ffmpeg': 'pipeline/decode/ffmpeg.ts',
  'hnswlib-node': 'index/vectors/hnsw/hnsw-index.ts',
  'better-sqlite3': 'index/store/sqlite.ts',
  kafkajs: 'workers/kafka/broker/client.ts',
  sharp: 'pipeline/image/image-library.ts',
}

const onlyInAdapters = Object.entries(adapters).map(([name, file]) => ({
  name,
  message: `Only ${file} talks to ${name}.`,
}))

const folder = (name) => ({
  group: [`**/${name}/**`],
  message: 'Directions: scripts → workers → index → pipeline; see README.',
})

/** `forbidden` are the folders that files of `files` may not import. */
const directions = (files, forbidden, allowedEngines = []) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: onlyInAdapters.filter((path) => !allowedEngines.includes(path.name)),
        patterns: forbidden.map(folder),
      },
    ],
  },
})

const above = {
  pipeline: ['index', 'workers', 'scripts', 'test'],
  index: ['workers', 'scripts', 'test'],
  workers: ['scripts', 'test'],
  scripts: ['test'],
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'cameo-data/', 'demo-output/', 'bench-output/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: ['error', 'always'],
    },
  },
  ...Object.entries(above).map(([name, forbidden]) => directions([`${name}/**/*.ts`], forbidden)),
  // Tests make pictures with it.
  directions(['test/**/*.ts'], [], ['sharp']),
  ...Object.entries(adapters).map(([engine, file]) =>
    directions([file], above[file.split('/')[0]], [engine]),
  ),
  // Its input are kafkajs's own errors, wrapped as kafkajs wraps them.
  directions(['test/unit/workers/kafka/broker/retrying-publisher.test.ts'], [], ['kafkajs', 'sharp']),
  {
    // node:test's describe/it return promises that the runner itself awaits.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  prettier,
)
