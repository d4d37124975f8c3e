import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  base: './',
  build: { target: 'es2023', chunkSizeWarningLimit: 1000 },
  // The theme is read by its test.
  test: { environment: 'node', css: { include: /theme/ } },
});
