/** Side of what is sent, in pixels: twice what the server keeps. */
const SIDE = 512;

/** The middle of a picture as a small JPEG, in base64; `null` when the file is no picture. */
export async function square(file: Blob): Promise<string | null> {
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const side = Math.min(image.naturalWidth, image.naturalHeight);
    const canvas = document.createElement('canvas');
    canvas.width = SIDE;
    canvas.height = SIDE;
    const paper = canvas.getContext('2d');
    if (paper === null || side === 0) {
      return null;
    }
    paper.fillStyle = 'white';
    paper.fillRect(0, 0, SIDE, SIDE);
    const [left, top] = [(image.naturalWidth - side) / 2, (image.naturalHeight - side) / 2];
    paper.drawImage(image, left, top, side, side, 0, 0, SIDE, SIDE);
    return canvas.toDataURL('image/jpeg', 0.9).split(',')[1] ?? null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
}
