/** I420 (BT.601, limited range, as VP8 carries it) to RGBA. Coefficients: ITU-R BT.601-7, scaled by 2^16. */
export function toRgba(data: Uint8Array, width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4);
  const chromaWidth = (width + 1) >> 1;
  const u = width * height;
  const v = u + chromaWidth * ((height + 1) >> 1);
  let out = 0;
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const chroma = (row >> 1) * chromaWidth + (column >> 1);
      const luma = 76309 * ((data[row * width + column] ?? 16) - 16);
      const blue = (data[u + chroma] ?? 128) - 128;
      const red = (data[v + chroma] ?? 128) - 128;
      rgba[out] = (luma + 104597 * red) >> 16;
      rgba[out + 1] = (luma - 25675 * blue - 53279 * red) >> 16;
      rgba[out + 2] = (luma + 132201 * blue) >> 16;
      rgba[out + 3] = 255;
      out += 4;
    }
  }
  return rgba;
}
