import {dialog, h, say} from "./dom.js";

/** Shows what the camera sees and hands `take` a picture now and then, until one is understood. */
export async function camera(take, done, word) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
  } catch (refused) {
    throw new Error(refused.name === "NotAllowedError"
      ? "The camera was refused; an image of the code, or the text below it, does as well."
      : "There is no camera here; an image of the code, or the text below it, does as well.");
  }
  const video = h("video", {muted: true, playsinline: true, "aria-label": "What the camera sees"});
  const box = dialog("Hold the QR code in front of the camera", video);
  const canvas = h("canvas");
  video.srcObject = stream;
  await video.play();
  const look = async () => {
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    try {
      await take(blob);
      say(word);
      box.close();
      done();
    } catch (failure) {
      if (!/no QR code/i.test(failure.message)) say(failure.message);
    }
  };
  let waiting = true;
  box.addEventListener("close", () => {
    waiting = false;
    stream.getTracks().forEach((t) => t.stop());
  });
  while (waiting) {
    await new Promise((resolve) => setTimeout(resolve, 600));
    if (waiting) await look();
  }
}
