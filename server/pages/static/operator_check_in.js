// Check-in with the camera, where the browser can read codes, and without loading the page.
// Without this script the page is a form with a field for the reference.
import { sendInPlace } from "./live_parts.js";

const LOOK_MS = 200; // between two looks at the picture of the camera
const REPEAT_MS = 4000; // after which the same code counts as shown again

const form = document.querySelector("#check-in");
const field = form.elements.reference;
const button = document.querySelector("#camera");
const view = document.querySelector("#view");
const hint = document.querySelector("#no-camera");

sendInPlace(() => {
  if (document.querySelector("#problem")) {
    field.select();
  } else {
    field.value = "";
  }
  field.focus();
});

class Camera {
  constructor(detector) {
    this.detector = detector;
    this.last = { code: "", at: 0 };
    button.hidden = false;
    button.addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    addEventListener("pagehide", () => this.stop());
  }

  async start() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      hint.textContent = hint.dataset.refused;
      field.focus();
      return;
    }
    hint.textContent = "";
    this.show(true);
    await view.play();
    this.look();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) {
      track.stop();
    }
    this.stream = null;
    this.show(false);
  }

  show(isOn) {
    view.srcObject = this.stream;
    view.hidden = !isOn;
    button.setAttribute("aria-pressed", String(isOn));
  }

  async look() {
    if (!this.stream) {
      return;
    }
    const [code] = await this.detector.detect(view).catch(() => []);
    if (code && this.isNew(code.rawValue)) {
      field.value = code.rawValue;
      form.requestSubmit();
    }
    setTimeout(() => this.look(), LOOK_MS);
  }

  // A code stays before the camera for many looks.
  isNew(code) {
    const isNew = code !== this.last.code || Date.now() - this.last.at > REPEAT_MS;
    this.last = { code, at: Date.now() };
    return isNew;
  }
}

if ("BarcodeDetector" in window && navigator.mediaDevices) {
  const formats = await BarcodeDetector.getSupportedFormats();
  if (formats.includes("qr_code")) {
    new Camera(new BarcodeDetector({ formats: ["qr_code"] }));
  }
}
