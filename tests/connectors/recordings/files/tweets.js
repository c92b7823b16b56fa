window.YTD.tweets.part0 = [
  {
    "tweet": {
      "id_str": "101",
      "id": "101",
      "full_text": "We are sorry about {the} soup &amp; the \"wait\"",
      "created_at": "Sat Sep 13 10:20:30 +0000 2025",
      "lang": "en",
      "in_reply_to_status_id_str": "99",
      "entities": {
        "urls": []
      }
    }
  },
  {
    "tweet": {
      "id_str": "102",
      "id": "102",
      "full_text": "Back at noon ]",
      "created_at": "Sat Sep 13 11:20:30 +0000 2025",
      "lang": "en",
      "entities": {
        "urls": []
      }
    }
  }
]
