import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { styleHashes } from './style-hashes.js'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: here('.'),
  publicDir: here('static'),
  cacheDir: here('../../../node_modules/.cache/vite'),
  plugins: [svelte({ configFile: here('svelte.config.js') }), styleHashes()],
  build: {
    outDir: here('../../../dist/workers/http/page/public'),
    emptyOutDir: true,
    target: 'es2022',
    // The security policy of the page forbids addresses of data in styles and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
